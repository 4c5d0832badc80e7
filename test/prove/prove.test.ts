import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { tempFolder } from '../harness/temp-folder.ts';
import { ownMain, runProve } from './run-prove.ts';

const faults =
  'kill-gateway,kill-mqtt,kill-worker,kill-nats,kill-postgres,restart-worker,pause-worker,restart-nats';

test('eight faults, one a trial: nothing lost, nothing doubled, and everything of the run is gone after', async () => {
  using folder = tempFolder('prove');
  const { code, report, log } = await runProve(
    ownMain,
    folder.path,
    ...['--faults', faults, '--trials', '8', '--messages', '500', '--seed', '11'],
  );
  expect(report.violations).toEqual([]);
  expect({ code, passed: report.passed }).toEqual({ code: 0, passed: true });
  const { total } = report;
  expect(total).toMatchObject({ trials: 8, messages: 4_000, answered: 4_000, lost: 0, doubled: 0 });
  // A twentieth of the messages is of strangers or has a wrong token.
  expect(total.quarantined).toBeGreaterThan(100);
  // Each message has its row; only those without an identity may have more.
  expect(total.stored + total.quarantined).toBeGreaterThanOrEqual(4_000);
  expect(Object.values(report.strikes)).toEqual(Array.from({ length: 8 }, () => 1));
  expect(
    report.faults.every(
      ({ first_yes_ms, settled_ms }) => first_yes_ms !== undefined && settled_ms !== undefined,
    ),
  ).toBe(true);
  expect(log).toContain('8 of 8 · nats restarted');
  expect(readdirSync(folder.path)).toEqual([]);
}, 150_000);

test('interrupted, it reports what was done and leaves nothing behind', async () => {
  using folder = tempFolder('prove');
  const child = Bun.spawn(
    [process.execPath, ownMain, 'prove', '--json', '--trials', '1000', '--messages', '50', '--seed', '3'],
    {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: folder.path },
      stdout: 'pipe',
      stderr: 'pipe',
    },
  );
  let log = '';
  for await (const chunk of child.stderr) {
    log += new TextDecoder().decode(chunk);
    if (log.includes('1 of 1000')) break;
  }
  child.kill('SIGINT');
  const report = JSON.parse(await child.stdout.text());
  expect(await child.exited).toBe(1);
  expect(report).toMatchObject({ passed: false, stopped_early: true });
  expect(readdirSync(folder.path)).toEqual([]);
}, 90_000);

test('a fault that there is not is a usage error that lists the others', async () => {
  const child = Bun.spawn([process.execPath, ownMain, 'prove', '--faults', 'kill-gateway,meteor'], {
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const error = await child.stderr.text();
  expect(await child.exited).toBe(2);
  expect(error).toContain('no fault "meteor"');
  expect(error).toContain('half-open');
});
