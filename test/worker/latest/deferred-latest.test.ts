import { afterEach, beforeEach, expect, test } from 'bun:test';
import pino from 'pino';
import { hashToken } from '../../../src/model/token.ts';
import { addDevice } from '../../../src/store/registry/add-device.ts';
import { addTenant } from '../../../src/store/registry/add-tenant.ts';
import { type DeferredLatest, startDeferredLatest } from '../../../src/worker/latest/deferred-latest.ts';
import type { LatestValues } from '../../../src/worker/latest/latest-values.ts';
import { createTestDatabase, type TestDatabase } from '../../harness/postgres.ts';
import { until } from '../../harness/until.ts';
import { createSettling, scripted } from '../settling.ts';

const tuning = { minRestMs: 20, maxRestMs: 50, lookMs: 20, leftAfterMs: 100 };
const noon = Date.UTC(2026, 5, 1, 12);
const reading = (atMs: number, metrics: Record<string, unknown>) => ({
  arrivedAtMs: atMs,
  timeUs: atMs * 1_000,
  metrics,
});

let database: TestDatabase;
let logged: Record<string, unknown>[];
const started: DeferredLatest[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
  logged = [];
  const { verdict } = scripted({ seq: 1 });
  if (verdict.outcome !== 'accept') throw new Error('the script is not accepted');
  const { tenantId, deviceId } = verdict.reading;
  await addTenant(database.pool, tenantId);
  await addDevice(database.pool, tenantId, { deviceId, siteId: 's1', tokenSha256: hashToken('t') });
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((latest) => latest.drain()));
  await database[Symbol.asyncDispose]();
});

function start(more: Partial<typeof tuning> = {}, maxSensors = 100): DeferredLatest {
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const clock = () => performance.now();
  const { pool } = database;
  const latest = startDeferredLatest({ pool, maxSensors, log, clock, tuning: { ...tuning, ...more } });
  started.push(latest);
  return latest;
}

/** As if the process died right after COMMIT, or never heard of it. */
const thatDies = (latest: LatestValues): LatestValues => ({
  record: async (db, stored) => void (await latest.record(db, stored)),
});

async function sensors(): Promise<Record<string, unknown>> {
  const { rows } = await database.pool.query('select metric, latest from sensors order by metric');
  return Object.fromEntries(rows.map(({ metric, latest }) => [metric, latest]));
}

async function owed(): Promise<number> {
  const { rows } = await database.pool.query('select count(*)::int as n from latest_owed');
  return rows[0].n;
}

const nothingOwed = () => until(async () => (await owed()) === 0, { what: 'nothing is owed' });

test('values of many batches are written once, the newest of each sensor', async () => {
  // Written at the drain only.
  const latest = start({ minRestMs: 3_600_000, maxRestMs: 3_600_000 });
  const settling = await createSettling(database.pool, { latest });
  await settling.run([{ seq: 1, ...reading(noon, { a: 1, b: 1 }) }]);
  await nothingOwed();
  await settling.run([{ seq: 2, ...reading(noon + 2, { a: 2 }) }]);
  await settling.run([{ seq: 3, ...reading(noon + 1, { a: 3, b: 3 }) }]);
  expect(await sensors()).toEqual({ a: 1, b: 1 });
  expect(await owed()).toBe(2);
  await latest.drain();
  expect(await sensors()).toEqual({ a: 2, b: 3 });
  expect(await owed()).toBe(0);
});

test('what a process that died has settled is written by another one, out of the readings', async () => {
  const settling = await createSettling(database.pool, {
    latest: thatDies(start({ leftAfterMs: 3_600_000 })),
  });
  await settling.run([
    {
      seq: 1,
      deviceSeq: 7,
      ...reading(noon, { temp_c: 21.5, on: true, name: 'x', gone: null, more: { x: 1 } }),
    },
    { seq: 2, ...reading(noon - 5, { temp_c: 3 }) },
  ]);
  expect(await owed()).toBe(1);
  expect(await sensors()).toEqual({});
  start();
  await nothingOwed();
  const { rows } = await database.pool.query(
    `select metric, value_type, unit, latest, (extract(epoch from latest_time) * 1000)::float8 as time, latest_seq::int
     from sensors order by metric`,
  );
  const others = { time: noon, latest_seq: 7, unit: null };
  expect(rows).toEqual([
    { ...others, metric: 'name', value_type: 'string', latest: 'x' },
    { ...others, metric: 'on', value_type: 'boolean', latest: true },
    { ...others, metric: 'temp_c', value_type: 'number', latest: 21.5, unit: '°C' },
  ]);
  expect(logged).toContainEqual(
    expect.objectContaining({ event: 'latest_recovered', batches: 1, sensors: 3 }),
  );
});

test('an older reading that was left does not replace a newer value', async () => {
  const dies = await createSettling(database.pool, { latest: thatDies(start({ leftAfterMs: 3_600_000 })) });
  await dies.run([{ seq: 1, ...reading(noon, { a: 1 }) }]);
  const lives = await createSettling(database.pool, { latest: start() });
  await lives.run([{ seq: 2, ...reading(noon + 1, { a: 2 }) }]);
  await nothingOwed();
  expect(await sensors()).toEqual({ a: 2 });
});

test('a batch that is rolled back owes nothing', async () => {
  const latest = start();
  const settling = await createSettling(database.pool, {
    latest: {
      record: async (db, stored) => {
        await latest.record(db, stored);
        throw new Error('no');
      },
    },
  });
  await expect(settling.run([{ seq: 1 }])).rejects.toThrow('no');
  expect(await owed()).toBe(0);
});

test('messages without values owe nothing', async () => {
  const settling = await createSettling(database.pool, { latest: thatDies(start()) });
  expect(await settling.run([{ seq: 1, metrics: {} }])).toEqual(['stored']);
  expect(await owed()).toBe(0);
});

test('no sensor is discovered of a device that was deleted meanwhile', async () => {
  const latest = start({ minRestMs: 3_600_000, maxRestMs: 3_600_000 });
  const settling = await createSettling(database.pool, { latest });
  await settling.run([{ seq: 1, ...reading(noon, { a: 1 }) }]);
  await nothingOwed();
  await settling.run([{ seq: 2, ...reading(noon + 1, { a: 2, b: 2 }) }]);
  await database.pool.query('delete from devices; delete from sensors');
  await latest.drain();
  expect(await sensors()).toEqual({});
  expect(await owed()).toBe(0);
});

test('when a write fails, values that came meanwhile stay, and those that it would have written', async () => {
  const latest = start();
  const settling = await createSettling(database.pool, { latest });
  const blocker = await database.pool.connect();
  const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  try {
    await blocker.query('begin; lock table sensors in exclusive mode');
    await settling.run([{ seq: 1, ...reading(noon, { a: 1, b: 1 }) }]);
    await until(async () => (await database.pool.query(waiting)).rowCount === 1, {
      what: 'a write that waits',
    });
    await settling.run([{ seq: 2, ...reading(noon + 1, { a: 2 }) }]);
    await database.pool.query(`select pg_cancel_backend(pid) from (${waiting}) w`);
    await until(() => logged.some(({ event }) => event === 'latest_failed'), { what: 'a failed write' });
  } finally {
    await blocker.query('rollback');
    blocker.release();
  }
  await nothingOwed();
  expect(await sensors()).toEqual({ a: 2, b: 1 });
});

test('a value that the database refuses does not hold up the others', async () => {
  const settling = await createSettling(database.pool, { latest: start() });
  const metricsText = '{"a":1,"b":1,"c":1}';
  await settling.run([{ seq: 1, ...reading(noon, { a: 1, b: Number.NaN, c: 1 }), metricsText }]);
  await nothingOwed();
  expect(await sensors()).toEqual({ a: 1, c: 1 });
  expect(logged).toContainEqual(expect.objectContaining({ event: 'latest_refused', metric: 'b' }));
});

test('a device gets no more sensors than its limit, from memory or out of the readings', async () => {
  const dies = await createSettling(database.pool, {
    latest: thatDies(start({ leftAfterMs: 3_600_000 }, 2)),
  });
  await dies.run([{ seq: 1, ...reading(noon, { c: 1, a: 1, b: 1 }) }]);
  const lives = await createSettling(database.pool, { latest: start({}, 2) });
  await nothingOwed();
  await lives.run([{ seq: 2, ...reading(noon + 1, { a: 2, d: 2 }) }]);
  await nothingOwed();
  expect(await sensors()).toEqual({ a: 2, b: 1 });
});
