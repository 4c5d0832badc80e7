import type { Config } from '../config/settings.ts';
import { CliError } from './exit-codes.ts';
import type { Signals } from './signals.ts';

/** What every role gives when it has started. */
export interface RunningRole {
  drain(): Promise<void>;
  /** Rejects with an error that no retry mends: the process is to end. */
  readonly failed?: Promise<never>;
}

export interface RunRoleOptions {
  readonly name: string;
  readonly start: (config: Config) => RunningRole | Promise<RunningRole>;
  readonly config: Config;
  readonly signals: Signals;
  readonly drainTimeoutMs: number;
}

/** Runs a role until a signal asks for its end, then drains it. @throws CliError when it does not drain in time. */
export async function runRole(options: RunRoleOptions): Promise<void> {
  const stop = options.signals.stop();
  const role = await options.start(options.config);
  await Promise.race([stopped(stop), ...(role.failed === undefined ? [] : [role.failed])]);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const seconds = options.drainTimeoutMs / 1_000;
    late.reject(new CliError(`${options.name} did not drain within ${seconds} s and was cut off.`));
  }, options.drainTimeoutMs);
  try {
    await Promise.race([role.drain(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function stopped(stop: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (stop.aborted) resolve();
  stop.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
