import { expect, test } from 'bun:test';
import type pg from 'pg';
import type { QuarantineLimits } from '../../src/model/quarantine-limits.ts';
import { evictQuarantine } from '../../src/store/maintenance/evict-quarantine.ts';
import { foldQuarantineTotals, forgetOldTokens } from '../../src/store/maintenance/fold-quarantine-totals.ts';
import { startMaintenance } from '../../src/store/maintenance.ts';
import { purgeQuarantine } from '../../src/store/quarantine/purge.ts';
import { selectQuarantineStats } from '../../src/store/quarantine/stats.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { until } from '../harness/until.ts';
import { silentLog, withDatabase } from './with-database.ts';

const ample = { rows: 1e9, bytes: 1e12 };
const limited = (changes: Partial<QuarantineLimits>): QuarantineLimits => ({
  tenant: ample,
  unknown: ample,
  ...changes,
});

/** Rows of a budget, each with an envelope of so many bytes. */
async function fill(
  pool: pg.Pool,
  budget: string,
  rows: number,
  { bytes = 10, daysAgo = 0, tenantId = budget, reason = 'TOKEN_INVALID' } = {},
): Promise<void> {
  await pool.query(
    `insert into quarantine (reason, detail, tenant_id, device_id, subject, arrived_at, quarantined_at, envelope,
       identity, identity_kind, stream_epoch, stream_seq, budget)
     select $6, 'no', $1, 'd1', 'telemetry.x', now(), now() - $4 * interval '1 day', convert_to(repeat('x', $3), 'UTF8'),
       gen_random_uuid(), 'fresh', 1, i, $5
     from generate_series(1, $2::int) i`,
    [tenantId, rows, bytes, daysAgo, budget, reason],
  );
}

const left = async (pool: pg.Pool) => {
  const { rows } = await pool.query<{ budget: string; rows: number; oldest: number }>(
    `select budget, count(*)::int as rows, min(stream_seq)::int as oldest from quarantine group by 1 order by 1`,
  );
  return rows;
};
const evictedOf = async (pool: pg.Pool) =>
  (await pool.query('select budget, evicted::int from quarantine_totals order by budget')).rows;

test('beyond a tenant’s rows the oldest go, and others’ stay', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool, 'a', 30);
    await fill(pool, 'b', 10);
    const options = { days: 30, limits: limited({ tenant: { rows: 12, bytes: 1e9 } }), rowsPerChunk: 5 };
    expect(await evictQuarantine(pool, options)).toBe(18);
    expect(await left(pool)).toEqual([
      { budget: 'a', rows: 12, oldest: 19 },
      { budget: 'b', rows: 10, oldest: 1 },
    ]);
    expect(await evictedOf(pool)).toEqual([{ budget: 'a', evicted: 18 }]);
    expect(await evictQuarantine(pool, options)).toBe(0);
  }));

test('beyond a tenant’s bytes the oldest go, until the rest fits', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool, 'a', 20, { bytes: 10_000 });
    await fill(pool, 'a', 5, { bytes: 100 });
    expect(
      await evictQuarantine(pool, { days: 30, limits: limited({ tenant: { rows: 1e9, bytes: 50_500 } }) }),
    ).toBe(15);
    expect(await left(pool)).toEqual([{ budget: 'a', rows: 10, oldest: 1 }]);
    const { rows } = await pool.query('select sum(octet_length(envelope))::int as bytes from quarantine');
    expect(rows).toEqual([{ bytes: 50_500 }]);
  }));

test('what is older than the retention goes, wherever it stands', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool, 'a', 3, { daysAgo: 29 });
    await fill(pool, 'a', 4, { daysAgo: 31 });
    await fill(pool, 'a', 2);
    expect(await evictQuarantine(pool, { days: 30, limits: limited({}) })).toBe(4);
    expect(await left(pool)).toMatchObject([{ rows: 5 }]);
  }));

test('all unknown tenants share one budget', () =>
  withDatabase({}, async ({ pool }) => {
    for (const name of ['x', 'y', 'z']) await fill(pool, '', 10, { tenantId: name });
    await fill(pool, 'known', 30);
    expect(
      await evictQuarantine(pool, { days: 30, limits: limited({ unknown: { rows: 10, bytes: 1e9 } }) }),
    ).toBe(20);
    const { rows } = await pool.query(
      'select tenant_id, count(*)::int as rows from quarantine group by 1 order by 1',
    );
    expect(rows).toEqual([
      { tenant_id: 'known', rows: 30 },
      { tenant_id: 'z', rows: 10 },
    ]);
  }));

test('a row that a replay has in hand is not evicted under it', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool, 'a', 5);
    await inTransaction(pool, async (replay) => {
      await replay.query('select from quarantine where stream_seq = 2 for update');
      expect(
        await evictQuarantine(pool, { days: 30, limits: limited({ tenant: { rows: 1, bytes: 1e9 } }) }),
      ).toBe(3);
    });
    expect(await left(pool)).toEqual([{ budget: 'a', rows: 2, oldest: 2 }]);
  }));

test('the maintenance of a worker evicts', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool, 'a', 50);
    const maintenance = startMaintenance({
      pool,
      retentionDays: 400,
      staleAfterMs: 60_000,
      offlineAfterMs: 600_000,
      quarantineDays: 30,
      deadLetterDays: 30,
      deadLettersMaxPerTenant: 1_000,
      quarantineLimits: limited({ tenant: { rows: 7, bytes: 1e9 } }),
      log: silentLog,
      clock: () => performance.now(),
      wallClock: Date.now,
    });
    try {
      await until(async () => (await left(pool))[0]?.rows === 7, { what: 'the limit holds' });
    } finally {
      await maintenance.drain();
    }
  }));

test('a purge deletes what is selected, up to where it began, and counts it', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool, 'a', 10);
    await fill(pool, 'a', 5, { reason: 'RATE_LIMITED' });
    const never = new AbortController().signal;
    const purge = (selection: object, upTo: bigint) =>
      purgeQuarantine(pool, selection, { upTo, onProgress: () => {}, stop: never });
    expect(await purge({ reason: 'TOKEN_INVALID', tenantId: 'a' }, 8n)).toBe(8);
    expect(await purge({ reason: 'TOKEN_INVALID', tenantId: 'b' }, 99n)).toBe(0);
    expect(await selectQuarantineStats(pool, undefined)).toMatchObject([
      { tenant_id: 'a', reason: 'RATE_LIMITED', held: 5, held_bytes: 50n, purged: 0n },
      { tenant_id: 'a', reason: 'TOKEN_INVALID', held: 2, held_bytes: 20n, purged: 8n, evicted: 0n },
    ]);
  }));

test('counters of long ago become one row each, and lose nothing', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into quarantine_totals (budget, reason, day, quarantined, evicted)
      select budget, 'TOKEN_INVALID', current_date - day, 1, 1
      from unnest(array['', 'a']) budget, generate_series(0, 999) day`);
    expect(await foldQuarantineTotals(pool, 400)).toBe(2 * 599);
    expect(await foldQuarantineTotals(pool, 398)).toBe(2 * 2);
    const { rows } = await pool.query(
      `select count(*)::int as rows, sum(quarantined)::int as quarantined, sum(evicted)::int as evicted from quarantine_totals`,
    );
    expect(rows).toEqual([{ rows: 2 * 400, quarantined: 2_000, evicted: 2_000 }]);
    expect(await selectQuarantineStats(pool, 'a')).toMatchObject([
      { tenant_id: 'a', quarantined: 1_000n, held: 0, oldest_arrived_at: null },
    ]);
  }));

test('tokens that devices had long ago are forgotten', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into tenants (tenant_id) values ('a')`);
    await pool.query(`insert into device_token_history values ('a', 'd1', '\\x01', now() - interval '401 days'),
      ('a', 'd1', '\\x02', now() - interval '399 days')`);
    expect(await forgetOldTokens(pool, 400)).toBe(1);
  }));
