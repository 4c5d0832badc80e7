import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { findClusterNats } from '../harness/cluster-nats.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { ownMain, runProveWith } from './run-prove.ts';

const programs = await findClusterNats();

test.skipIf(programs === undefined)(
  'on three servers the leader is killed, and a follower: nothing lost, nothing doubled, and accepted again with the next leader',
  async () => {
    using folder = tempFolder('prove');
    const { code, report, log } = await runProveWith(
      { programs: programs ?? '' },
      ownMain,
      folder.path,
      ...['--cluster', '--faults', 'kill-leader,kill-follower'],
      ...['--trials', '2', '--messages', '400', '--seed', '21'],
    );
    expect(report.violations).toEqual([]);
    expect(code).toBe(0);
    expect(report.total).toMatchObject({ trials: 2, answered: 800, lost: 0, doubled: 0 });
    expect(log.match(/nats-\d killed/g)).toHaveLength(2);
    const leader = report.faults.find(({ fault }) => fault === 'kill-leader');
    expect(leader?.first_yes_ms).toBeDefined();
    expect(readdirSync(folder.path)).toEqual([]);
  },
  180_000,
);

test('a server too old for a cluster is named, with the version that is needed', async () => {
  const { code, log } = await proveOnTheOldest();
  expect(code).toBe(1);
  expect(log).toMatch(/is 2\.9\.\d+, 2\.10\.0 or newer is needed/);
});

async function proveOnTheOldest() {
  using folder = tempFolder('old');
  const file = `${folder.path}/nats-server`;
  await Bun.write(file, '#!/bin/sh\necho nats-server: v2.9.10\n', { mode: 0o755 });
  const child = Bun.spawn([process.execPath, ownMain, 'prove', '--cluster', '--trials', '1'], {
    env: { PATH: `${folder.path}:${process.env.PATH}`, HOME: process.env.HOME, TMPDIR: folder.path },
    stdout: 'ignore',
    stderr: 'pipe',
  });
  const log = await child.stderr.text();
  return { code: await child.exited, log };
}
