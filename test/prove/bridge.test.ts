import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { tempFolder } from '../harness/temp-folder.ts';
import { patchedSource } from './patched-source.ts';
import { ownMain, runProve } from './run-prove.ts';

test('bridge, broker, worker and NATS are killed between devices and JetStream: what is lost the broker lost, and nothing is doubled', async () => {
  using folder = tempFolder('prove');
  const { code, report, log } = await runProve(
    ownMain,
    folder.path,
    ...['--faults', 'bridge', '--trials', '6', '--messages', '300', '--seed', '51'],
  );
  expect(report.violations).toEqual([]);
  expect(code).toBe(0);
  expect(report.total).toMatchObject({ trials: 6, answered: 1_800, lost: 0, doubled: 0 });
  // What is missing is named, each with what shows whose loss it is, and only where the broker was killed.
  expect(report.forgotten).toHaveLength(report.total.forgotten_by_broker);
  for (const { fault, forgotten_by_broker: lost } of report.faults)
    if (!fault.endsWith('kill-broker')) expect([fault, lost]).toEqual([fault, 0]);
  for (const name of ['mqtt-bridge-', 'mosquitto', 'worker-', 'nats'])
    expect(log).toMatch(new RegExp(`${name}\\d? killed`));
  expect(readdirSync(folder.path)).toEqual([]);
}, 150_000);

test('a bridge that sends its PUBACK before JetStream’s is found as messages lost', async () => {
  using tree = patchedSource([
    {
      file: 'src/sources/mqtt/bridge/bridged-session.ts',
      replace: '    const fate = known ?? this.#take(link, letter, publish);',
      // As wide a window as a slow JetStream makes; in one of a millisecond few kills would fall.
      by: '    const fate = known ?? Bun.sleep(300).then(() => this.#take(link, letter, publish));',
    },
    {
      file: 'src/sources/mqtt/bridge/bridged-session.ts',
      replace: '    void fate.then((outcome) => {\n      // What was given up',
      by: "    void Promise.resolve('accepted' as const).then((outcome) => {\n      // What was given up",
    },
  ]);
  using folder = tempFolder('proved');
  const { code, report } = await runProve(
    tree.main,
    folder.path,
    ...['--faults', 'bridge-kill-bridge', '--trials', '1', '--messages', '600', '--seed', '52'],
  );
  expect(report.counts.lost).toBeGreaterThan(0);
  expect(report.total.forgotten_by_broker).toBe(0);
  expect(code).toBe(1);
}, 150_000);
