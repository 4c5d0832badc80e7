import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { tempFolder } from '../harness/temp-folder.ts';
import { patchedSource } from './patched-source.ts';
import { ownMain, runProve } from './run-prove.ts';

test('delivery, worker and NATS are killed while routes deliver: every job arrives or is a dead letter, and a replay leaves none', async () => {
  using folder = tempFolder('prove');
  const { code, report, log } = await runProve(
    ownMain,
    folder.path,
    ...['--faults', 'routes', '--trials', '3', '--messages', '300', '--seed', '41'],
  );
  expect(report.violations).toEqual([]);
  expect(code).toBe(0);
  expect(report.total).toMatchObject({ trials: 3, answered: 900, lost: 0, doubled: 0 });
  for (const name of ['delivery-', 'worker-', 'nats']) expect(log).toMatch(new RegExp(`${name}\\d? killed`));
  expect(readdirSync(folder.path)).toEqual([]);
}, 150_000);

test('a delivery that acknowledges before it has written down what became of a job is found', async () => {
  using tree = patchedSource([
    {
      file: 'src/delivery/delivery.ts',
      replace: '  #received(job: Job, message: PulledMessage): void {',
      // Nearly all of a trial's kills come while jobs are in this window; as wide as the work itself, few would.
      by: `  #received(job: Job, message: PulledMessage): void {
    message.ack();
    setTimeout(() => this.#late(job, message), 300);
  }

  #late(job: Job, message: PulledMessage): void {`,
    },
  ]);
  using folder = tempFolder('proved');
  const { code, report } = await runProve(
    tree.main,
    folder.path,
    ...['--faults', 'routes-kill-delivery', '--trials', '3', '--messages', '600', '--seed', '42'],
  );
  expect(report.counts.undelivered).toBeGreaterThan(0);
  expect(code).toBe(1);
}, 150_000);
