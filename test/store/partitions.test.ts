import { expect, test } from 'bun:test';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type pg from 'pg';
import { createPartitions, type PartitionsOptions, type Placed } from '../../src/store/partitions.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { weekOf, weekStartMs } from '../../src/store/weeks.ts';
import { rejectionOf, silentLog, withDatabase } from './with-database.ts';

const clock = () => Date.now();
const placed = (tenantId: string, time: string): Placed => ({ tenantId, timeUs: Date.parse(time) * 1000 });
const partitionsOf = (pool: pg.Pool, options: Partial<PartitionsOptions> = {}) =>
  createPartitions({ pool, log: silentLog, clock, ...options });

const insertAt = (db: Pick<pg.Pool, 'query'>, time: string, tenantId = 't1') =>
  db.query(
    `insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, metrics, arrived_at,
       stream_epoch, stream_seq) values ($1, $2, $3, 'd1', 's1', 'telemetry', '{}', now(), 1, 1)`,
    [time, randomUUID(), tenantId],
  );

async function weeks(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent = 'telemetry'::regclass order by 1`,
  );
  return rows.map(({ name }) => name);
}

test('weeks begin on Monday in UTC, here as in the database', () =>
  withDatabase({}, async ({ pool }) => {
    expect(new Date(weekStartMs(weekOf(Date.parse('2026-11-24T13:00:00Z') * 1000))).toISOString()).toBe(
      '2026-11-23T00:00:00.000Z',
    );
    const times = fc.sample(fc.integer({ min: -1e15, max: 4e15 }), 200);
    const { rows } = await pool.query<{ us: string; week: Date }>(
      `select us, telemetry_week(timestamptz 'epoch' + us * interval '1 microsecond') as week
       from unnest($1::float8[]) us`,
      [times],
    );
    for (const { us, week } of rows) expect(weekStartMs(weekOf(Number(us)))).toBe(week.getTime());
  }));

test('a reading of any age gets the partition of its week, which is made once', () =>
  withDatabase({}, async ({ pool }) => {
    const readings = [
      placed('t1', '2025-11-20T10:00:00Z'),
      placed('t2', '2026-11-22T23:59:59.999Z'),
      placed('t1', '2026-11-23T00:00:00Z'),
    ];
    expect(await partitionsOf(pool).ensure(readings)).toEqual(new Set());
    expect(await partitionsOf(pool).ensure(readings)).toEqual(new Set());
    expect(await weeks(pool)).toEqual(['telemetry_20251117', 'telemetry_20261116', 'telemetry_20261123']);
    await insertAt(pool, '2025-11-20T10:00:00Z');
    await insertAt(pool, '2026-11-22T23:59:59.999999Z');
  }));

test('a partition has the keys of its parent', () =>
  withDatabase({}, async ({ pool }) => {
    await partitionsOf(pool).ensure([placed('t1', '2026-11-23T00:00:00Z')]);
    const { rows } = await pool.query(
      `select count(*)::int as attached from pg_inherits i join pg_class c on c.oid = i.inhrelid where c.relkind = 'i'
         and i.inhparent::regclass::text ~ '^telemetry_(identity|device_time)'`,
    );
    expect(rows).toEqual([{ attached: 2 }]);
    const identity = randomUUID();
    const again = () =>
      pool.query(
        `insert into telemetry select '2026-11-24', $1, 't1', 'd1', 's1', 'telemetry', 1, '{}', null, now(), 1, 1
         on conflict do nothing`,
        [identity],
      );
    expect([(await again()).rowCount, (await again()).rowCount]).toEqual([1, 0]);
  }));

test('a tenant beyond its share of new weeks is refused, others and known weeks are not', () =>
  withDatabase({}, async ({ pool }) => {
    const partitions = partitionsOf(pool, { maxNewWeeksPerTenant: 2 });
    const nonsense = ['2020-01-01', '2020-02-01', '2020-03-01', '2020-04-01'].map((time) =>
      placed('t1', time),
    );
    expect(await partitions.ensure(nonsense)).toEqual(new Set(nonsense.slice(2)));
    expect(await partitions.ensure(nonsense)).toEqual(new Set(nonsense.slice(2)));
    // Another tenant's share makes one of those weeks, and so it is there for the first one too.
    const [third, fourth] = nonsense.slice(2);
    if (third === undefined || fourth === undefined) throw new Error('four were made');
    expect(await partitions.ensure([...nonsense, placed('t2', '2020-03-01')])).toEqual(new Set([fourth]));
    expect(await partitions.ensure([third])).toEqual(new Set());
    expect(await weeks(pool)).toHaveLength(3);
  }));

test('the share counts within a day', () =>
  withDatabase({}, async ({ pool }) => {
    const partitions = () => partitionsOf(pool, { maxNewWeeksPerTenant: 1 });
    expect((await partitions().ensure([placed('t1', '2020-01-01'), placed('t1', '2020-02-01')])).size).toBe(
      1,
    );
    await pool.query(`update telemetry_weeks set made_at = made_at - interval '25 hours'`);
    expect((await partitions().ensure([placed('t1', '2020-02-01')])).size).toBe(0);
  }));

test('a week that retention dropped is made again once it is forgotten', () =>
  withDatabase({}, async ({ pool }) => {
    const partitions = partitionsOf(pool);
    const reading = placed('t1', '2025-01-01');
    await partitions.ensure([reading]);
    await pool.query(`select drop_telemetry_partition('2025-01-01')`);
    await partitions.ensure([reading]);
    expect(await weeks(pool)).toEqual([]);
    partitions.forget();
    await partitions.ensure([reading]);
    expect(await weeks(pool)).toEqual(['telemetry_20241230']);
  }));

test('a week that somebody detached is refused and stops nothing else', () =>
  withDatabase({}, async ({ pool }) => {
    await partitionsOf(pool).ensure([placed('t1', '2025-01-01')]);
    await pool.query(`alter table telemetry detach partition telemetry_20241230;
      delete from telemetry_weeks`);
    const [gone, fine] = [placed('t1', '2025-01-01'), placed('t1', '2025-02-01')];
    expect(await partitionsOf(pool).ensure([gone, fine])).toEqual(new Set([gone]));
  }));

test('partitions are made while other transactions insert, and nobody waits or deadlocks', () =>
  withDatabase({ max: 8, timeouts: { lockTimeoutMs: 5_000 } }, async ({ pool }) => {
    await partitionsOf(pool).ensure([placed('t1', '2026-11-24')]);
    // Two open transactions that have inserted, and insert again into what others made meanwhile.
    const inserted = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const made = Promise.withResolvers<void>();
    const settling = inserted.map(({ resolve }, index) =>
      inTransaction(pool, async (client) => {
        await insertAt(client, '2026-11-24');
        resolve();
        await made.promise;
        await insertAt(client, `2026-0${index + 1}-15`);
      }),
    );
    await Promise.all(inserted.map(({ promise }) => promise));
    const wanted = ['2026-01-15', '2026-02-15', '2026-03-15'].map((time) => placed('t1', time));
    // Each creator has an own memory, as processes do.
    await Promise.all([wanted, wanted.toReversed(), wanted].map((each) => partitionsOf(pool).ensure(each)));
    made.resolve();
    await Promise.all(settling);
    expect(await weeks(pool)).toHaveLength(4);
    expect((await pool.query('select count(*) as rows from telemetry')).rows).toEqual([{ rows: 4n }]);
  }));

test('a role that only writes may make partitions and own none', () =>
  withDatabase({}, async ({ pool }) => {
    await inTransaction(pool, async (client) => {
      await client.query('set local role tributary_writer');
      await client.query(`select ensure_telemetry_partition('2026-11-24', 't1', 5)`);
      await insertAt(client, '2026-11-24');
    });
    const reader = inTransaction(pool, async (client) => {
      await client.query('set local role tributary_reader');
      await client.query(`select ensure_telemetry_partition('2026-11-24', 't1', 5)`);
    });
    expect(String(await rejectionOf(reader))).toContain('permission denied');
    expect(await weeks(pool)).toHaveLength(1);
  }));
