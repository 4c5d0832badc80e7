import { expect, test } from 'bun:test';
import type pg from 'pg';
import { selectRouteChanges } from '../../src/store/delivery/delivery-routes.ts';
import { dropOldWeeks } from '../../src/store/maintenance/drop-old-weeks.ts';
import { expireMessageKeys } from '../../src/store/maintenance/expire-message-keys.ts';
import type { MaintenanceOptions } from '../../src/store/maintenance/maintenance-contract.ts';
import { purgeTombstones } from '../../src/store/maintenance/purge-tombstones.ts';
import { sweepStatus } from '../../src/store/maintenance/sweep-status.ts';
import { startMaintenance } from '../../src/store/maintenance.ts';
import type { Queryable } from '../../src/store/statements/queryable.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { until } from '../harness/until.ts';
import { silentLog, withDatabase } from './with-database.ts';

const retention = { retentionDays: 400, lockTimeoutMs: 50 };
const unlimited = { rows: 1_000_000, bytes: 1_000_000_000 };
const quarantineLimits = { tenant: unlimited, unknown: unlimited };
const thresholds = { staleAfterMs: 60_000, offlineAfterMs: 600_000 };

const makeWeek = (pool: pg.Pool, daysAgo: number) =>
  pool.query(`select ensure_telemetry_partition(now() - $1 * interval '1 day')`, [daysAgo]);

async function weeksLeft(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ listed: number; attached: number }>(
    `select (select count(*)::int from telemetry_weeks) as listed,
       (select count(*)::int from pg_inherits where inhparent = 'telemetry'::regclass) as attached`,
  );
  const { listed, attached } = rows[0] ?? {};
  expect(listed).toBe(attached as number);
  return attached ?? -1;
}

test('retention drops whole weeks that are older, and no others', () =>
  withDatabase({}, async ({ pool }) => {
    for (const daysAgo of [0, 399, 400, 408, 800]) await makeWeek(pool, daysAgo);
    const before = await weeksLeft(pool);
    const { dropped, busy } = await dropOldWeeks(pool, retention);
    const limitMs = Date.now() - 400 * 86_400_000;
    for (const week of dropped) expect(week.getTime() + 7 * 86_400_000).toBeLessThanOrEqual(limitMs);
    expect(dropped.length).toBeGreaterThanOrEqual(2);
    expect(busy).toEqual([]);
    expect(await weeksLeft(pool)).toBe(before - dropped.length);
    expect((await dropOldWeeks(pool, retention)).dropped).toEqual([]);
  }));

test('the earlier of two clocks decides what is old: one that was set wrong deletes nothing', () =>
  withDatabase({}, async ({ pool }) => {
    const year = 365 * 86_400_000;
    for (const daysAgo of [0, 500, 1_000]) await makeWeek(pool, daysAgo);
    await pool.query(`insert into message_keys values (gen_random_uuid(), gen_random_uuid(), now() - interval '49 hours'),
      (gen_random_uuid(), gen_random_uuid(), now() - interval '500 days')`);
    // As it is when the database's clock is a year ahead of the truth, or the caller's.
    expect((await dropOldWeeks(pool, { ...retention, nowMs: Date.now() - year })).dropped).toHaveLength(1);
    expect(await expireMessageKeys(pool, { keepHours: 48, nowMs: Date.now() - year })).toBe(1);
    expect((await dropOldWeeks(pool, { ...retention, nowMs: Date.now() + year })).dropped).toHaveLength(1);
    expect(await expireMessageKeys(pool, { keepHours: 48, nowMs: Date.now() + year })).toBe(1);
  }));

test('a week in use stays until the next time, and inserts go on', () =>
  withDatabase({}, async ({ pool }) => {
    await makeWeek(pool, 0);
    await makeWeek(pool, 800);
    await inTransaction(pool, async (reader) => {
      await reader.query('select count(*) from telemetry');
      const attempt = dropOldWeeks(pool, retention);
      await pool.query(`insert into telemetry select now(), gen_random_uuid(), 't1', 'd1', 's1', 'telemetry', 1, '{}',
        null, now(), 1, 1`);
      expect(await attempt).toMatchObject({ dropped: [], busy: [expect.any(Date)] });
    });
    expect((await dropOldWeeks(pool, retention)).dropped).toHaveLength(1);
  }));

test('tombstones go when they are old, and caches are told up to which version', () =>
  withDatabase({}, async ({ pool }) => {
    const bury = async (id: string, daysAgo: number) => {
      await pool.query(`insert into tenants (tenant_id) values ($1)`, [id]);
      await pool.query('delete from tenants where tenant_id = $1', [id]);
      await pool.query(
        `update registry_tombstones set buried_at = now() - $2 * interval '1 day' where tenant_id = $1`,
        [id, daysAgo],
      );
    };
    const stand = async () =>
      (
        await pool.query<{ left: string[]; told: boolean }>(
          `select array(select tenant_id from registry_tombstones order by 1) as left,
             tombstones_purged_to >= 0 as told from registry_version`,
        )
      ).rows[0];
    await bury('young', 29);
    expect(await purgeTombstones(pool, 30)).toBe(0);
    expect(await stand()).toEqual({ left: ['young'], told: false });
    await bury('old', 31);
    const { rows } = await pool.query(`select version from registry_tombstones where tenant_id = 'old'`);
    expect(await purgeTombstones(pool, 30)).toBe(1);
    expect(await stand()).toEqual({ left: ['young'], told: true });
    const told = 'select tombstones_purged_to as version from registry_version';
    expect((await pool.query(told)).rows).toEqual(rows);
    // The young one has a smaller version: the mark never goes back.
    expect(await purgeTombstones(pool, 20)).toBe(1);
    expect((await pool.query(told)).rows).toEqual(rows);
  }));

test('tombstones of routes go, too, and whoever is further behind loads the routes anew', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into tenants (tenant_id) values ('t1')`);
    await pool.query(`insert into routes (tenant_id, name, topic_filter, destination)
      select 't1', name, '#', '{"kind":"nats","subject":"out.t1.x"}' from unnest(array['kept', 'removed']) name`);
    const before = await selectRouteChanges(pool, -1);
    await pool.query(`delete from routes where name = 'removed'`);
    const removed = before?.routes.filter(({ name }) => name === 'removed').map(({ routeId }) => routeId);
    const since = before?.version ?? -1;
    expect(await selectRouteChanges(pool, since)).toMatchObject({ isWhole: false, removed });
    await pool.query(`update route_tombstones set buried_at = now() - interval '31 days'`);
    expect(await purgeTombstones(pool, 30)).toBe(1);
    expect((await pool.query('select from route_tombstones')).rowCount).toBe(0);
    expect(await selectRouteChanges(pool, since)).toMatchObject({
      isWhole: true,
      routes: [{ name: 'kept' }],
    });
  }));

test('a writer that owns nothing can drop old weeks', () =>
  withDatabase({ max: 1 }, async ({ pool }) => {
    await makeWeek(pool, 800);
    await pool.query('set role tributary_writer');
    expect((await dropOldWeeks(pool, retention)).dropped).toHaveLength(1);
  }));

test('keys expire by age, over many pages', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into message_keys select gen_random_uuid(), gen_random_uuid(),
      now() - case when i % 2 = 0 then interval '47 hours' else interval '49 hours' end
      from generate_series(1, 2000) i`);
    expect(await expireMessageKeys(pool, { keepHours: 48, pagesPerChunk: 3 })).toBe(1_000);
    expect(await expireMessageKeys(pool, { keepHours: 48 })).toBe(0);
    const { rows } = await pool.query(
      `select count(*)::int as left, min(now() - first_settled_at) < interval '48 hours' as young from message_keys`,
    );
    expect(rows).toEqual([{ left: 1_000, young: true }]);
  }));

async function addStates(
  pool: pg.Pool,
  states: readonly [deviceId: string, secondsAgo: number, status: string][],
) {
  for (const [deviceId, secondsAgo, status] of states) {
    await pool.query(
      `insert into device_state values ('t1', $1, now() - $2 * interval '1 second', 'telemetry', $3, '2026-01-01')`,
      [deviceId, secondsAgo, status],
    );
  }
}

test('silent devices become STALE and OFFLINE as of the moment the threshold was passed', () =>
  withDatabase({}, async ({ pool }) => {
    await addStates(pool, [
      ['fresh', 30, 'ONLINE'],
      ['just stale', 90, 'ONLINE'],
      ['still stale', 90, 'STALE'],
      ['long gone', 900, 'ONLINE'],
      ['stale, now gone', 900, 'STALE'],
      ['known gone', 900, 'OFFLINE'],
    ]);
    expect(await sweepStatus(pool, { ...thresholds, pagesPerChunk: 1 })).toBe(3);
    const { rows } = await pool.query(
      `select device_id, status, extract(epoch from status_since - last_seen_at)::int as after from device_state
       where status_since <> '2026-01-01' order by device_id`,
    );
    expect(rows).toEqual([
      { device_id: 'just stale', status: 'STALE', after: 60 },
      { device_id: 'long gone', status: 'OFFLINE', after: 600 },
      { device_id: 'stale, now gone', status: 'OFFLINE', after: 600 },
    ]);
    expect(await sweepStatus(pool, thresholds)).toBe(0);
  }));

test('a sweep passes over a device that is just being settled', () =>
  withDatabase({}, async ({ pool }) => {
    await addStates(pool, [
      ['settled', 90, 'ONLINE'],
      ['silent', 90, 'ONLINE'],
    ]);
    await inTransaction(pool, async (client) => {
      await client.query(`update device_state set last_seen_at = now() where device_id = 'settled'`);
      expect(await sweepStatus(pool, thresholds)).toBe(1);
    });
    const { rows } = await pool.query('select device_id, status from device_state order by device_id');
    expect(rows).toEqual([
      { device_id: 'settled', status: 'ONLINE' },
      { device_id: 'silent', status: 'STALE' },
    ]);
  }));

test('a sweep of many silent devices holds their rows some ten thousand at a time', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into device_state
      select 't1', 'd' || i, now() - interval '90 seconds', 'telemetry', 'ONLINE', '2026-01-01'
      from generate_series(1, 25000) i`);
    const changed: number[] = [];
    const query: Queryable['query'] = async (config) => {
      const result = await pool.query(config);
      const [row] = result.rows as { changed?: number }[];
      if (row?.changed !== undefined) changed.push(row.changed);
      return result;
    };
    expect(await sweepStatus({ query }, thresholds)).toBe(25_000);
    expect(Math.max(...changed)).toBeLessThanOrEqual(12_000);
  }));

const maintenanceOf = (pool: pg.Pool, options: Partial<MaintenanceOptions> = {}) =>
  startMaintenance({
    pool,
    retentionDays: 400,
    quarantineDays: 30,
    deadLetterDays: 30,
    deadLettersMaxPerTenant: 1_000,
    quarantineLimits,
    ...thresholds,
    log: silentLog,
    clock: () => performance.now(),
    wallClock: Date.now,
    intervals: { standbyMs: 20, sweepMs: 20, retryMs: 50 },
    ...options,
  });

test('one process of several does the maintenance, and another takes over when its connection dies', () =>
  withDatabase({}, async ({ pool, database }) => {
    const both = [maintenanceOf(pool), maintenanceOf(pool)];
    const activeOnes = () => both.filter(({ active }) => active);
    try {
      await until(() => activeOnes().length === 1, { what: 'one is active' });
      await until(async () => (await weeksLeft(pool)) === 3, { what: 'this week and two more are made' });
      await addStates(pool, [['silent', 90, 'ONLINE']]);
      const isStale = async (id: string) =>
        (await pool.query(`select from device_state where device_id = $1 and status = 'STALE'`, [id]))
          .rowCount;
      await until(() => isStale('silent'), { what: 'the silent device is STALE' });
      await database.pool.query(`select pg_terminate_backend(pid) from pg_locks
        where locktype = 'advisory' and pid <> pg_backend_pid()
          and database = (select oid from pg_database where datname = current_database())`);
      await addStates(pool, [['later', 90, 'ONLINE']]);
      await until(() => isStale('later'), { what: 'maintenance goes on' });
      await until(() => activeOnes().length === 1, { what: 'one is active again' });
      await activeOnes()[0]?.drain();
      await until(() => activeOnes().length === 1, { what: 'the other one takes over' });
    } finally {
      await Promise.all(both.map((each) => each.drain()));
    }
    expect(activeOnes()).toEqual([]);
  }));

test('one task that fails does not keep the others from running', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query('alter table telemetry_weeks rename to hidden');
    const maintenance = maintenanceOf(pool);
    try {
      await addStates(pool, [['silent', 90, 'ONLINE']]);
      await until(
        async () => (await pool.query(`select from device_state where status = 'STALE'`)).rowCount === 1,
        { what: 'the sweep ran' },
      );
      await pool.query('alter table hidden rename to telemetry_weeks');
      await until(async () => (await weeksLeft(pool)) === 3, { what: 'the partitions are made in the end' });
    } finally {
      await maintenance.drain();
    }
  }));
