import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type pg from 'pg';
import { Registry } from 'prom-client';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import { createRollupMetrics } from '../../../src/observe/rollups.ts';
import { dropOldWeeks } from '../../../src/store/maintenance/drop-old-weeks.ts';
import { createClient } from '../../../src/store/pool.ts';
import { deleteDevice } from '../../../src/store/registry/delete-device.ts';
import { advanceRollups } from '../../../src/store/series/advance-rollups.ts';
import { rollUpOwed } from '../../../src/store/series/roll-up-owed.ts';
import { startRoller } from '../../../src/store/series/roller.ts';
import { beginBulkDelete } from '../../../src/store/series/rollup-lock.ts';
import { selectSeries } from '../../../src/store/series/select-series.ts';
import { withTenant } from '../../../src/store/with-tenant.ts';
import { until } from '../../harness/until.ts';
import { silentLog, withDatabase } from '../with-database.ts';
import {
  bucketMs,
  createSeriesWorld,
  reckoned,
  rounded,
  type Sent,
  type SeriesWorld,
} from './series-world.ts';

const hourMs = 3_600_000;
/** The end of a whole bucket, some time ago. */
const endMs = Math.floor(Date.now() / bucketMs) * bucketMs - hourMs;

/** One a minute over three hours, on edges of buckets and between. */
const steady = (device: 'd1' | 'd2', firstId: number): Sent[] =>
  Array.from({ length: 180 }, (_, index) => ({
    id: firstId + index,
    device,
    atMs: endMs - 3 * hourMs + index * 60_000 + (index % 3),
    hundredths: (index * 37) % 1_000,
  }));

async function expectSame(
  world: SeriesWorld,
  sent: Iterable<Sent>,
  spans?: readonly (readonly [number, number, number])[],
) {
  const all = [...sent];
  for (const device of ['d1', 'd2'])
    for (const [fromMs, toMs, length] of spans ?? [
      [endMs - 4 * hourMs, endMs + hourMs, bucketMs],
      [endMs - 3 * hourMs + 61_001, endMs - 7_777, 3 * bucketMs],
      [endMs - 2 * hourMs, endMs, 60_000],
    ]) {
      const own = all.filter((each) => each.device === device);
      expect(rounded(await world.read(device, fromMs, toMs, length))).toEqual(
        rounded(reckoned(own, fromMs, toMs, length)),
      );
    }
}

const countOf = (table: string) => `select count(*)::int as rows from ${table}`;

test('a series is the same before and after it is rolled up, with what comes late, again or is deleted', () =>
  withDatabase({}, async ({ pool, database }) => {
    // Nothing may hang on the session's zone: this one is off by no whole hours.
    await database.pool.query(`alter database ${database.name} set timezone = 'Asia/Kathmandu'`);
    await using world = await createSeriesWorld(pool);
    const sent = [...steady('d1', 1_000), ...steady('d2', 2_000)];
    await world.store(sent);
    await expectSame(world, sent);

    while ((await world.advance()) === 'behind') await expectSame(world, sent);
    const rolled = await pool.query(
      'select count(*)::int as rows, max(bucket) as newest from telemetry_rollup',
    );
    expect(rolled.rows[0].rows).toBe(2 * 35);
    expect(rolled.rows[0].newest.getTime()).toBe(endMs - 2 * bucketMs);
    await expectSame(world, sent);

    // Late ones, the same again, and one that was not there at all.
    const late: Sent[] = [0, 1, 299_999, 300_000, -1].map((offset, index) => ({
      id: 3_000 + index,
      device: 'd1',
      atMs: endMs - hourMs + offset,
      hundredths: -5_000 + index,
    }));
    await world.store([...late, ...sent.slice(0, 50)]);
    expect((await pool.query(countOf('rollup_owed'))).rows).toEqual([{ rows: 3 }]);
    await expectSame(world, [...sent, ...late]);
    expect(await world.settleOwed(2)).toBe(2);
    await expectSame(world, [...sent, ...late]);
    expect(await world.settleOwed()).toBe(1);
    expect((await pool.query(countOf('rollup_owed'))).rows).toEqual([{ rows: 0 }]);
    await expectSame(world, [...sent, ...late]);

    await pool.query(`delete from telemetry where device_id = 'd1' and time < $1`, [
      new Date(endMs - 2 * hourMs),
    ]);
    const left = [...sent, ...late].filter(
      ({ device, atMs }) => device === 'd2' || atMs >= endMs - 2 * hourMs,
    );
    await expectSame(world, left);
    await world.settleOwed();
    await expectSame(world, left);
  }));

const message = fc.record({
  id: fc.integer({ min: 1, max: 400 }),
  device: fc.constantFrom('d1' as const, 'd2' as const),
  // Often on the edge of a bucket.
  atMs: fc
    .tuple(fc.integer({ min: 0, max: 24 }), fc.constantFrom(0, 1, -1, 150_000))
    .map(([bucket, offset]) => endMs - 24 * bucketMs + bucket * bucketMs + offset),
  hundredths: fc.integer({ min: -1_000, max: 1_000 }),
});

type Step = (world: SeriesWorld, pool: pg.Pool, rows: Map<string, Sent>) => Promise<unknown>;

const storeStep = fc.array(message, { minLength: 1, maxLength: 30 }).map(
  (sent): Step =>
    async (world, _, rows) => {
      await world.store(sent);
      // One row per time and identity.
      for (const one of sent) rows.set(`${one.atMs}/${one.id}`, rows.get(`${one.atMs}/${one.id}`) ?? one);
    },
);
const removeStep = fc.integer({ min: 1, max: 400 }).map(
  (gone): Step =>
    async (_, pool, rows) => {
      await pool.query('delete from telemetry where seq = $1', [gone]);
      for (const [key, { id }] of rows) if (id === gone) rows.delete(key);
    },
);
const step = fc.oneof(
  { weight: 3, arbitrary: storeStep },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 8 }).map(
      (n): Step =>
        (world) =>
          world.advance({ maxBuckets: n }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 10 }).map(
      (n): Step =>
        (world) =>
          world.settleOwed(n),
    ),
  },
  { weight: 1, arbitrary: removeStep },
);

test(
  'property: whatever is stored and deleted, and whenever the roller runs, the series is that of the rows',
  () =>
    withDatabase({}, async ({ pool }) => {
      await using world = await createSeriesWorld(pool);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
          await pool.query(`truncate telemetry, telemetry_rollup, rollup_owed;
          update rollup_mark set mark_from = '-infinity', rolled_to = '-infinity'`);
          const rows = new Map<string, Sent>();
          for (const apply of steps) await apply(world, pool, rows);
          await expectSame(world, rows.values(), [
            [endMs - 25 * bucketMs, endMs + bucketMs, bucketMs],
            [endMs - 20 * bucketMs + 1, endMs - bucketMs - 1, 2 * bucketMs],
          ]);
        }),
        { numRuns: 12 },
      );
    }),
  60_000,
);

test('who has begun to store is waited for, and what is stored meanwhile is not lost', () =>
  withDatabase({}, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    const sent = steady('d1', 1_000);
    await world.store(sent);
    const slow: Sent = { id: 1, device: 'd1', atMs: endMs - hourMs, hundredths: 77_700 };
    const writer = await pool.connect();
    try {
      await writer.query('begin');
      await world.store([slow], writer);
      expect(await world.advance({ maxBuckets: 100 })).toBe('busy');
      // The mark has moved: this one is owed, although nothing is rolled up yet.
      const between: Sent = { id: 2, device: 'd1', atMs: endMs - hourMs, hundredths: 88_800 };
      await world.store([between]);
      await writer.query('commit');
      await expectSame(world, [...sent, slow, between]);
      // Stays until there is a roll-up to make again.
      expect(await world.settleOwed()).toBe(0);
      await world.advance({ maxBuckets: 100 });
      await expectSame(world, [...sent, slow, between]);
      expect(await world.settleOwed()).toBe(1);
      await expectSame(world, [...sent, slow, between]);
    } finally {
      writer.release();
    }
  }));

test('several writers at once, while the roller runs', () =>
  withDatabase({ max: 6 }, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    const all = Array.from({ length: 4 }, (_, worker) =>
      Array.from({ length: 200 }, (_, index): Sent => {
        const id = worker * 1_000 + index;
        return {
          id,
          device: id % 3 === 0 ? 'd1' : 'd2',
          atMs: endMs - ((id * 7_919) % 10_800) * 1_000,
          hundredths: id,
        };
      }),
    );
    let writing = true;
    const rolling = (async () => {
      while (writing) {
        await world.advance({ maxBuckets: 3 });
        await world.settleOwed(20);
      }
    })();
    await Promise.all(
      all.map(async (sent) => {
        for (let first = 0; first < sent.length; first += 20)
          await world.store(sent.slice(first, first + 20));
      }),
    );
    writing = false;
    await rolling;
    await expectSame(world, all.flat());
    while ((await world.advance()) === 'behind') {}
    while ((await world.settleOwed()) > 0) {}
    await expectSame(world, all.flat());
    expect((await pool.query(countOf('rollup_owed'))).rows).toEqual([{ rows: 0 }]);
  }));

test('numbers stay exact, and one that no double holds leaves no average and stops nothing', () =>
  withDatabase({}, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    const texts = ['12345678901234567890.5', '0.1', '1e400', '-1e131000', '1e-16000', '9e131070'];
    for (const [index, text] of texts.entries())
      for (const metric of [`only_${index}`, 'all'])
        await pool.query(
          `insert into telemetry values ($1, gen_random_uuid(), 'acme', 'd1', 's1', 'telemetry', 1,
             $2::jsonb, null, now(), 1, 1)`,
          [new Date(endMs - hourMs + index), `{"${metric}":${text}}`],
        );
    await world.store([{ id: 1, device: 'd2', atMs: endMs, hundredths: 1 }]);
    const metrics = ['all', ...texts.map((_, index) => `only_${index}`)];
    const read = () =>
      selectSeries(pool, {
        tenantId: 'acme' as TenantId,
        deviceId: 'd1' as DeviceId,
        metrics,
        fromMs: endMs - 2 * hourMs,
        toMs: endMs,
        bucketMs,
      });
    const before = await read();
    await world.advance({ maxBuckets: 100 });
    expect(await read()).toEqual(before);
    expect(before.get('only_0')).toMatchObject({
      min: [texts[0]],
      max: [texts[0]],
      avg: [Number(texts[0])],
    });
    expect(before.get('only_2')).toMatchObject({ min: [`1${'0'.repeat(400)}`], avg: [null], count: [1] });
    expect(before.get('only_4')).toMatchObject({ avg: [0] });
    expect(before.get('all')).toMatchObject({ count: [6], avg: [null], max: [`9${'0'.repeat(131_070)}`] });
  }));

test('a reader sees its tenant’s roll-ups only', () =>
  withDatabase({}, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    await world.store(steady('d1', 1_000));
    await world.advance({ maxBuckets: 100 });
    await world.store([{ id: 1, device: 'd1', atMs: endMs - hourMs, hundredths: 1 }]);
    const rows = (tenant: string, table: string) =>
      withTenant(
        pool,
        tenant as TenantId,
        async (client) => (await client.query(countOf(table))).rows[0].rows,
      );
    expect(await rows('acme', 'telemetry_rollup')).toBe(35);
    expect(await rows('acme', 'rollup_owed')).toBe(1);
    expect(await rows('other', 'telemetry_rollup')).toBe(0);
    expect(await rows('other', 'rollup_owed')).toBe(0);
  }));

test('roll-ups go with the device’s data, and with the week', () =>
  withDatabase({}, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    await world.store([...steady('d1', 1_000), ...steady('d2', 2_000)]);
    await world.advance({ maxBuckets: 100 });
    await deleteDevice(pool, 'acme' as TenantId, 'd1' as DeviceId, { withData: true });
    // With them, not after.
    expect((await pool.query(countOf('rollup_owed'))).rows).toEqual([{ rows: 0 }]);
    const devices = async () =>
      (await pool.query('select distinct device_id from telemetry_rollup')).rows.map(
        ({ device_id }) => device_id,
      );
    expect(await devices()).toEqual(['d2']);
    await dropOldWeeks(pool, { retentionDays: -21, lockTimeoutMs: 1_000 });
    expect(await devices()).toEqual([]);
    const { rows } =
      await pool.query(`select count(*)::int as rows from pg_class where relname ~ '^telemetry_.*[0-9]{8}$'
      and relkind = 'r'`);
    expect(rows).toEqual([{ rows: 0 }]);
    // And come again with it.
    await pool.query("select ensure_telemetry_partition(now() - interval '1 hour')");
    await world.store(steady('d2', 2_000).slice(-30));
    await world.settleOwed();
    await expectSame(world, steady('d2', 2_000).slice(-30));
  }));

test('rollers of two processes: one rolls up, and the other takes over when it goes', () =>
  withDatabase({ max: 6 }, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    await world.store(steady('d1', 1_000));
    const intervals = { rollMs: 5, owedMs: 5, retryMs: 5, standbyMs: 5 };
    const clock = () => performance.now();
    const begin = (metrics = createRollupMetrics(new Registry())) =>
      startRoller({ pool, log: silentLog, clock, wallClock: Date.now, metrics, intervals });
    const [first, second] = [begin(), begin()];
    const rollups = async () => (await pool.query(countOf('telemetry_rollup'))).rows[0].rows;
    const late: Sent = { id: 1, device: 'd1', atMs: endMs - 150 * 60_000, hundredths: 1 };
    try {
      await until(async () => (await rollups()) === 35, { what: 'everything is rolled up' });
      expect([first.active, second.active].toSorted()).toEqual([false, true]);
      await (first.active ? first : second).drain();
      await world.store([late]);
      await until(async () => (await pool.query(countOf('rollup_owed'))).rows[0].rows === 0, {
        what: 'nothing is owed',
      });
    } finally {
      await Promise.all([first.drain(), second.drain()]);
    }
    await expectSame(world, [...steady('d1', 1_000), late]);
  }));

test('how far behind it is the roller says from what it could roll up, and each failure counts', () =>
  withDatabase({ max: 4 }, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    await world.store(steady('d1', 1_000));
    const registry = new Registry();
    const metrics = createRollupMetrics(registry);
    const intervals = { rollMs: 5, owedMs: 5, retryMs: 5, standbyMs: 5 };
    const told = async (name: string) =>
      Number((await registry.metrics()).match(new RegExp(`^${name}(?:{work="window"})? (\\S+)$`, 'm'))?.[1]);
    const clock = () => performance.now();
    // Nothing can be rolled up while its table is away; what is there to be is known all the same.
    await pool.query('alter table telemetry_rollup rename to telemetry_rollup_away');
    const options = { pool, log: silentLog, clock, wallClock: () => 1_700_000_000_000, metrics, intervals };
    const roller = startRoller(options);
    try {
      await until(async () => (await told('tributary_rollup_failures_total')) >= 2, {
        what: 'it has failed',
      });
      expect(await told('tributary_rollup_behind_seconds')).toBeNaN();
      expect(await told('tributary_rollup_up_to_date_timestamp_seconds')).toBe(0);
      await pool.query('alter table telemetry_rollup_away rename to telemetry_rollup');
      await until(async () => (await told('tributary_rollup_behind_seconds')) === 0, {
        what: 'it caught up',
      });
      expect(await told('tributary_rollup_up_to_date_timestamp_seconds')).toBe(1_700_000_000);
    } finally {
      await roller.drain();
    }
    expect(await told('tributary_rollup_behind_seconds')).toBeNaN();
  }));

test('what is behind is the event time that could be rolled up', () =>
  withDatabase({}, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    await world.store(steady('d1', 1_000));
    const client = createClient(pool);
    await client.connect();
    try {
      const advance = (maxBuckets: number) =>
        advanceRollups(client, { lagMs: 120_000, maxBuckets, awaitWritersMs: 1_000 });
      const first = await advance(1);
      expect(first.state).toBe('behind');
      expect((await advance(2)).behindSeconds).toBe(first.behindSeconds - 600);
      expect(await advance(100)).toEqual({ state: 'up to date', behindSeconds: 0 });
      expect(await advance(100)).toEqual({ state: 'nothing to do', behindSeconds: 0 });
    } finally {
      await client.end();
    }
  }));

test('a roller puts nothing back of what is deleted while it looks', () =>
  withDatabase({}, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    await world.store(steady('d1', 1_000));
    await world.advance({ maxBuckets: 100 });
    // Where no roll-up is: a lock on a row of it does not keep the two apart.
    await world.store([{ id: 1, device: 'd1', atMs: endMs - 4 * hourMs, hundredths: 1 }]);
    const deleter = await pool.connect();
    try {
      await deleter.query(beginBulkDelete);
      await deleter.query(`delete from telemetry; delete from telemetry_rollup`);
      const settling = world.settleOwed();
      await until(
        async () => {
          const { rows } = await pool.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          );
          return rows.length > 0;
        },
        { what: 'the roller waits' },
      );
      await deleter.query('commit');
      expect(await settling).toBe(1);
    } finally {
      deleter.release();
    }
    expect((await pool.query(countOf('telemetry_rollup'))).rows).toEqual([{ rows: 0 }]);
  }));

test('a worker that owns no table rolls up, and a console that may only read reads', () =>
  withDatabase({}, async ({ pool }) => {
    await using world = await createSeriesWorld(pool);
    await world.store(steady('d1', 1_000));
    const client = createClient(pool);
    try {
      await client.connect();
      await client.query('set role tributary_writer');
      expect(
        await advanceRollups(client, { lagMs: 120_000, maxBuckets: 100, awaitWritersMs: 1_000 }),
      ).toEqual({ state: 'up to date', behindSeconds: 0 });
      await world.store([{ id: 1, device: 'd1', atMs: endMs - hourMs, hundredths: 1 }], client);
      expect(await rollUpOwed(client, 10)).toBe(1);
    } finally {
      await client.end();
    }
    // As a reader of the tenant: see withTenant.
    expect((await world.read('d1', endMs - hourMs, endMs - hourMs + bucketMs, bucketMs))?.count).toEqual([6]);
  }));
