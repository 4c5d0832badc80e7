import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { whyNoMount } from '../../src/prove/stack/small-disk.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { ownMain, runProve } from './run-prove.ts';

const why = whyNoMount();
// Where everything has to be shown, the test runs and fails instead.
const isSkipped = why !== undefined && process.env.CI !== 'true';
if (isSkipped) console.error(`skipped: servers with full disks: a tmpfs cannot be mounted: ${why}`);

test.skipIf(isSkipped)(
  'the disk of NATS fills, then that of PostgreSQL: nothing lost, nothing doubled, nothing left mounted',
  async () => {
    using folder = tempFolder('prove');
    const { code, report, log } = await runProve(
      ownMain,
      folder.path,
      ...['--faults', 'disk', '--trials', '2', '--messages', '500', '--seed', '32'],
    );
    expect(report.violations).toEqual([]);
    expect(code).toBe(0);
    expect(report.total).toMatchObject({ trials: 2, answered: 1_000, lost: 0, doubled: 0 });
    expect(log).toMatch(/disk of nats full for \d+ ms/);
    expect(log).toMatch(/disk of postgres full for \d+ ms/);
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(folder.path);
    expect(readdirSync(folder.path)).toEqual([]);
  },
  120_000,
);
