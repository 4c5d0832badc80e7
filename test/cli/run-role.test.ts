import { expect, test } from 'bun:test';
import { type RunRoleOptions, runRole } from '../../src/cli/run-role.ts';
import { createSignals, type StopSignal } from '../../src/cli/signals.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Config } from '../../src/config/settings.ts';
import type { RoleDeps } from '../../src/roles/process/role-deps.ts';

function fakeProcess() {
  const listeners: Record<StopSignal, (() => void)[]> = { SIGINT: [], SIGTERM: [] };
  const exits: number[] = [];
  let nowMs = 0;
  const source = {
    on: (signal: StopSignal, listener: () => void) => listeners[signal].push(listener),
    exit: (code: number) => exits.push(code),
  };
  return {
    exits,
    raise: (signal: StopSignal, afterMs = 1_000) => {
      nowMs += afterMs;
      for (const listener of listeners[signal]) listener();
    },
    signals: createSignals(source, () => nowMs),
  };
}

function options(overrides: Partial<RunRoleOptions>, process = fakeProcess()): RunRoleOptions {
  const start = async () => ({ drain: async () => {} });
  const config = parseConfig({});
  return { name: 'gateway', start, config, signals: process.signals, drainTimeoutMs: 1_000, ...overrides };
}

test.each(['SIGINT', 'SIGTERM'] as const)('%s drains the role', async (signal) => {
  const process = fakeProcess();
  const started = Promise.withResolvers<void>();
  let drained = false;
  const drain = async () => {
    drained = true;
  };
  const start = async () => {
    started.resolve();
    return { drain };
  };
  const running = runRole(options({ start }, process));
  await started.promise;
  expect(drained).toBe(false);
  process.raise(signal);
  await running;
  expect(drained).toBe(true);
  expect(process.exits).toEqual([]);
});

test('a signal while the role starts drains it as soon as it has started', async () => {
  const process = fakeProcess();
  const started = Promise.withResolvers<{ drain: () => Promise<void> }>();
  const running = runRole(options({ start: () => started.promise }, process));
  process.raise('SIGTERM');
  started.resolve({ drain: async () => {} });
  await running;
});

test('a signal breaks off a start that listens to it; what fails because of it is no failure', async () => {
  const process = fakeProcess();
  const start = (_config: Config, { stop }: RoleDeps) =>
    new Promise<never>((_, reject) => stop?.addEventListener('abort', () => reject(stop.reason)));
  const running = runRole(options({ start }, process));
  process.raise('SIGTERM');
  await running;
});

test('a role that was told to stop before it began is not started', async () => {
  const process = fakeProcess();
  process.signals.stop();
  process.raise('SIGTERM');
  const start = () => {
    throw new Error('started');
  };
  await runRole(options({ start }, process));
});

test('the second signal ends the process at once, with the code of a signal', async () => {
  const process = fakeProcess();
  const running = runRole(
    options({ start: () => ({ drain: () => new Promise(() => {}) }), drainTimeoutMs: 50 }, process),
  );
  process.raise('SIGINT');
  process.raise('SIGINT');
  expect(process.exits).toEqual([130]);
  await expect(running).rejects.toThrow('gateway did not drain within 0.05 s and was cut off.');
});

test('a role that cannot go on ends with its error', async () => {
  const start = () => ({ drain: async () => {}, failed: Promise.reject(new Error('the table is gone')) });
  await expect(runRole(options({ start }))).rejects.toThrow('the table is gone');
});
