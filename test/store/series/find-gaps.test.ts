import { expect, test } from 'bun:test';
import type pg from 'pg';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import { findGaps } from '../../../src/store/series/find-gaps.ts';
import { runInProcess } from '../../cli/in-process.ts';
import { withDatabase } from '../with-database.ts';

const startMs = Date.UTC(2026, 10, 22, 23, 59, 50);

/** [seq, seconds after the start (of the event), seconds (of the arrival)]; two weeks' partitions. */
async function fill(
  pool: pg.Pool,
  tenant: string,
  rows: readonly (readonly [number | null, number, number])[],
) {
  await pool.query('insert into tenants (tenant_id) values ($1)', [tenant]);
  await pool.query(`insert into devices (tenant_id, device_id, site_id) values ($1, 'd1', 's1')`, [tenant]);
  for (const week of [0, 60_000])
    await pool.query('select ensure_telemetry_partition($1)', [new Date(startMs + week)]);
  for (const [index, [seq, at, arrived]] of rows.entries())
    await pool.query(
      `insert into telemetry values ($1, gen_random_uuid(), $2, 'd1', 's1', 'telemetry', $3, '{}', null, $4, 1, $5)`,
      [new Date(startMs + at * 1_000), tenant, seq, new Date(startMs + arrived * 1_000), index],
    );
}

const rangeOf = (tenant: string, fromS: number, toS: number) => ({
  tenantId: tenant as TenantId,
  deviceId: 'd1' as DeviceId,
  fromMs: startMs + fromS * 1_000,
  toMs: startMs + toS * 1_000,
});

test('gaps are found in the order of event time, over weeks, of one tenant and within the range', () =>
  withDatabase({}, async ({ pool, database }) => {
    await fill(pool, 't1', [
      [1, 0, 0],
      [4, 15, 15],
      [3, 10, 16],
      [4, 17, 17],
      [5, 18, 18],
      [null, 19, 19],
      [9, 20, 20],
      [0, 30, 30],
    ]);
    await fill(pool, 't2', [[2, 5, 5]]);
    const gaps = await findGaps(pool, rangeOf('t1', 0, 30));
    expect(gaps).toMatchObject({ received: 6, unnumbered: 1, missing: 4, late: 1, repeated: 1, lastSeq: 9 });
    expect(gaps.ranges).toEqual([
      { first: 2, last: 2, count: 1, afterUs: startMs * 1_000, beforeUs: (startMs + 10_000) * 1_000 },
      {
        first: 6,
        last: 8,
        count: 3,
        afterUs: (startMs + 18_000) * 1_000,
        beforeUs: (startMs + 20_000) * 1_000,
      },
    ]);
    expect((await findGaps(pool, rangeOf('t1', 0, 31))).restarts).toEqual([
      { timeUs: (startMs + 30_000) * 1_000, fromSeq: 9, toSeq: 0 },
    ]);
    expect(await findGaps(pool, rangeOf('t2', -60, 60))).toMatchObject({ received: 1, missing: 0 });
    await expectCommand(database.url);
  }));

/** The same from the command line. */
async function expectCommand(url: string): Promise<void> {
  const run = (...args: string[]) => runInProcess(['device', 'gaps', 't1', ...args], { DATABASE_URL: url });
  const times = ['--from', '2026-11-22T23:59:50Z', '--to', '2026-11-23T00:00:21Z'];
  const { stdout } = await run('d1', ...times, '--json');
  expect(JSON.parse(stdout)).toEqual({
    from: '2026-11-22T23:59:50.000000Z',
    to: '2026-11-23T00:00:21.000000Z',
    received: 7,
    unnumbered: 1,
    missing: 4,
    late: 1,
    repeated: 1,
    first_seq: 1,
    last_seq: 0,
    ranges: [
      {
        first: 2,
        last: 2,
        count: 1,
        after_time: '2026-11-22T23:59:50.000000Z',
        before_time: '2026-11-23T00:00:00.000000Z',
      },
      {
        first: 6,
        last: 8,
        count: 3,
        after_time: '2026-11-23T00:00:08.000000Z',
        before_time: '2026-11-23T00:00:10.000000Z',
      },
    ],
    restarts: [{ time: '2026-11-23T00:00:20.000000Z', from_seq: 9, to_seq: 0 }],
    truncated: false,
  });
  const shown = (await run('d1', ...times)).stdout;
  expect(shown).toContain('received  7, and 1 without a seq');
  expect(shown).toContain('The counter began again at 2026-11-23 00:00:20.000: 9 was followed by 0.');
  expect(shown).toMatch(/^ +6 +8 +3 {2}2026-11-23 00:00:08\.000 {2}2026-11-23 00:00:10\.000$/m);
  expect(await run('nobody', ...times)).toMatchObject({ code: 1, stdout: '' });
}
