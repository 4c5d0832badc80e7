import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import pg from 'pg';
import pino from 'pino';
import { createPartitions } from '../../src/store/partitions.ts';
import { latestAtOnce } from '../../src/worker/latest/latest-values.ts';
import { createRateLimiter } from '../../src/worker/rate-limiter.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { createSettling, hex, type Settling } from './settling.ts';

let database: TestDatabase;
let settling: Settling;
beforeEach(async () => {
  database = await createTestDatabase();
  settling = await createSettling(database.pool);
});
afterEach(() => database[Symbol.asyncDispose]());

async function rows<R extends pg.QueryResultRow>(sql: string): Promise<R[]> {
  return (await database.pool.query<R>(sql)).rows;
}
const count = async (table: string) =>
  Number((await rows<{ n: string }>(`select count(*) as n from ${table}`))[0]?.n);
const ledger = () => rows('select stored::int, duplicates::int, quarantined::int, internal::int from ledger');

const refusal = { outcome: 'quarantine', rejection: { reason: 'TOKEN_INVALID', detail: 'no' } } as const;

describe('one outcome for every sequence', () => {
  test('stored, quarantined and internal are counted, and claims are as many', async () => {
    const outcomes = await settling.run([
      { seq: 1 },
      { seq: 2, verdict: refusal },
      { seq: 3, verdict: { outcome: 'internal' } },
      { seq: 4, identity: hex(1), timeUs: Date.UTC(2026, 5, 1, 0, 0, 0, 1) * 1_000 },
    ]);
    expect(outcomes).toEqual(['stored', 'quarantined', 'internal', 'duplicate']);
    expect(await ledger()).toEqual([{ stored: 1, duplicates: 1, quarantined: 1, internal: 1 }]);
    expect([await count('claims'), await count('telemetry'), await count('quarantine')]).toEqual([4, 1, 1]);
  });

  test('a redelivery changes nothing, even when the device was revoked in between', async () => {
    await settling.run([{ seq: 1 }, { seq: 2 }]);
    expect(await settling.run([{ seq: 1, verdict: refusal }, { seq: 2 }, { seq: 3 }])).toEqual([
      'claimed before',
      'claimed before',
      'stored',
    ]);
    expect([await count('telemetry'), await count('quarantine')]).toEqual([3, 0]);
    expect(await ledger()).toEqual([{ stored: 3, duplicates: 0, quarantined: 0, internal: 0 }]);
  });

  test('a subject of any bytes is quarantined in printable form and stops nobody', async () => {
    const subjects = [
      'telemetry.a\0b',
      'telemetry.\u001b[31m',
      'telemetry.\ud800',
      'telemetry.\u00e9\u{1f600}',
    ];
    await settling.run(subjects.map((subject, index) => ({ seq: index + 1, verdict: refusal, subject })));
    expect(await rows('select subject from quarantine order by stream_seq')).toEqual([
      { subject: 'telemetry.a\\u0000b' },
      { subject: 'telemetry.\\u001b[31m' },
      { subject: 'telemetry.\\ud800' },
      { subject: 'telemetry.\u00e9\u{1f600}' },
    ]);
  });

  test('an old number with a later JetStream timestamp is a new message', async () => {
    await settling.run([{ seq: 1 }]);
    expect(
      await settling.run([{ seq: 1, timestampNs: 1_900_000_000_000_000_000n, identity: hex(99) }]),
    ).toEqual(['stored']);
  });

  test('two workers that settle the same messages in opposite orders store each once and do not deadlock', async () => {
    const scripts = Array.from({ length: 2_000 }, (_, seq) => ({ seq: seq + 1, device: `d${seq % 7}` }));
    // Connections and partition are there: the claims really meet.
    await settling.run([{ seq: 9_999 }]);
    await Promise.all(Array.from({ length: 4 }, () => database.pool.query('select pg_sleep(0.05)')));
    const runs = await Promise.all(
      Array.from({ length: 6 }, (_, i) => settling.run(i % 2 === 0 ? scripts : scripts.toReversed())),
    );
    expect(runs.flat().filter((outcome) => outcome === 'stored')).toHaveLength(2_000);
    expect(await count('telemetry')).toBe(2_001);
    expect(await ledger()).toEqual([{ stored: 2_001, duplicates: 0, quarantined: 0, internal: 0 }]);
  });

  test('the token is cut out of what is quarantined', async () => {
    await settling.run([{ seq: 5, verdict: refusal }]);
    const [row] = await rows<{ envelope: Buffer }>('select envelope from quarantine');
    expect(row?.envelope.toString()).not.toContain('secret-5');
    expect(JSON.parse(String(row?.envelope))).toEqual({ payload: {} });
  });
});

describe('idempotency keys', () => {
  const key = (bodyHash: number) => ({ identity: hex(0xabc), bodyHash: hex(bodyHash) });

  test('the same key and body is a duplicate, at another time too; another body reuses the key', async () => {
    expect(
      await settling.run([
        { seq: 1, key: key(1) },
        { seq: 2, key: key(1) },
        { seq: 3, key: key(2) },
      ]),
    ).toEqual(['stored', 'duplicate', 'quarantined']);
    expect(
      await settling.run([
        { seq: 4, key: key(1) },
        { seq: 5, key: key(2) },
      ]),
    ).toEqual(['duplicate', 'quarantined']);
    expect(await rows('select distinct reason from quarantine')).toEqual([{ reason: 'IDENTITY_REUSED' }]);
    expect(await count('telemetry')).toBe(1);
  });

  test('two workers with the same key at once store it once', async () => {
    const runs = await Promise.all(
      Array.from({ length: 8 }, (_, i) => settling.run([{ seq: i + 1, key: key(i % 2) }])),
    );
    const outcomes = runs.flat();
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 'quarantined')).toHaveLength(4);
  });

  test('a message that was limited does not occupy its key', async () => {
    const strict = await createSettling(database.pool, {
      limiter: createRateLimiter({
        device: { ratePerSecond: 0.001, burst: 1 },
        tenant: { ratePerSecond: 1, burst: 10 },
      }),
    });
    expect(await strict.run([{ seq: 1 }, { seq: 2, key: key(1) }])).toEqual(['stored', 'quarantined']);
    expect(await settling.run([{ seq: 3, key: key(1) }])).toEqual(['stored']);
  });
});

describe('what the database refuses', () => {
  test('one bad row among 1,000 costs that row, within 2·log2(n)+6 inserts', async () => {
    const inserts: string[] = [];
    const query = pg.Client.prototype.query;
    pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
      const [config] = args as [{ name?: string }];
      if (config?.name === 'insert-telemetry') inserts.push(config.name);
      return Reflect.apply(query, this, args);
    } as typeof query;
    try {
      const scripts = Array.from({ length: 1_000 }, (_, seq) => ({
        seq: seq + 1,
        ...(seq === 617 ? { metricsText: '{"a":"\\u0000"}' } : {}),
      }));
      const outcomes = await settling.run(scripts);
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(999);
      expect(outcomes[617]).toBe('quarantined');
    } finally {
      pg.Client.prototype.query = query;
    }
    expect(await rows('select reason, sqlstate, stream_seq::int from quarantine')).toEqual([
      { reason: 'STORE_REJECTED', sqlstate: '22P05', stream_seq: 618 },
    ]);
    expect(inserts.length).toBeGreaterThan(1);
    expect(inserts.length).toBeLessThanOrEqual(2 * Math.log2(1_000) + 6);
  });

  test('a key whose row was refused is free again, and its resend in the batch is refused with it', async () => {
    const key = { identity: hex(0xdef), bodyHash: hex(1) };
    const bad = { key, metricsText: '{"a":"\\u0000"}' };
    expect(await settling.run([{ seq: 1, ...bad }, { seq: 2, ...bad }, { seq: 3 }])).toEqual([
      'quarantined',
      'quarantined',
      'stored',
    ]);
    expect(await count('message_keys')).toBe(0);
  });
});

describe('sensors and devices', () => {
  const at = (timeMs: number, value: number, more: object = {}) => ({
    timeUs: timeMs * 1_000,
    metrics: { temp_c: value },
    ...more,
  });
  const latest = async () =>
    (await rows<{ latest: unknown }>(`select latest from sensors where metric = 'temp_c'`))[0]?.latest;
  const noon = Date.UTC(2026, 5, 1, 12);

  test('late data does not replace the latest value, in another batch or the same', async () => {
    await settling.run([{ seq: 1, arrivedAtMs: noon, ...at(noon, 1) }]);
    await settling.run([{ seq: 2, arrivedAtMs: noon + 10, ...at(noon - 60_000, 2) }]);
    expect(await latest()).toBe(1);
    await settling.run([
      { seq: 3, arrivedAtMs: noon + 20, ...at(noon + 20, 3) },
      { seq: 4, arrivedAtMs: noon + 20, ...at(noon - 5, 4) },
    ]);
    expect(await latest()).toBe(3);
  });

  test('a clock that runs ahead does not freeze the latest value', async () => {
    await settling.run([{ seq: 1, arrivedAtMs: noon, ...at(noon + 3_600_000, 1) }]);
    await settling.run([{ seq: 2, arrivedAtMs: noon + 10, ...at(noon + 10, 2) }]);
    expect(await latest()).toBe(2);
  });

  test('at the same time, the higher seq is the latest', async () => {
    await settling.run([
      { seq: 1, arrivedAtMs: noon, deviceSeq: 8, ...at(noon, 8) },
      { seq: 2, arrivedAtMs: noon, deviceSeq: 7, ...at(noon, 7) },
    ]);
    await settling.run([{ seq: 3, arrivedAtMs: noon, deviceSeq: 6, ...at(noon, 6) }]);
    expect(await latest()).toBe(8);
  });

  test('a device gets no more sensors than its limit; its values are stored all the same', async () => {
    const few = await createSettling(database.pool, { latest: latestAtOnce(2) });
    await few.run([{ seq: 1, metrics: { c: 1, a: 1, b: 1 } }]);
    await few.run([{ seq: 2, metrics: { a: 2, d: 2 } }]);
    expect(await rows('select metric, latest from sensors order by metric')).toEqual([
      { metric: 'a', latest: 2 },
      { metric: 'b', latest: 1 },
    ]);
    expect(await rows('select metrics from telemetry where stream_seq = 2')).toEqual([
      { metrics: { a: 2, d: 2 } },
    ]);
  });

  test('a device that is seen is ONLINE; a message from a backlog does not make it so', async () => {
    const now = Date.now();
    const state = () =>
      rows<{ status: string; at: string }>(
        'select status, (extract(epoch from status_since) * 1000)::float8 as at from device_state',
      );
    const reading = (arrivedAtMs: number) => ({ arrivedAtMs, timeUs: arrivedAtMs * 1_000 });
    await settling.run([{ seq: 1, ...reading(now - 3_600_000) }]);
    expect(await state()).toEqual([{ status: 'OFFLINE', at: now - 3_600_000 + 1_800_000 }] as never);
    await settling.run([{ seq: 2, ...reading(now - 400_000) }]);
    expect((await state())[0]?.status).toBe('OFFLINE');
    await settling.run([{ seq: 3, ...reading(now) }]);
    expect(await state()).toEqual([{ status: 'ONLINE', at: now }] as never);
    await settling.run([{ seq: 4, ...reading(now - 1_000) }]);
    expect(
      await rows('select (extract(epoch from last_seen_at) * 1000)::float8 as at from device_state'),
    ).toEqual([{ at: now }]);
  });
});

test('readings for which no partition may be made are quarantined, the others are stored', async () => {
  const partitions = createPartitions({
    pool: database.pool,
    log: pino({ level: 'silent' }),
    clock: Date.now,
    maxNewWeeksPerTenant: 1,
  });
  const limited = await createSettling(database.pool, { partitions });
  const longAgo = Date.UTC(2025, 5, 1) * 1_000;
  expect(await limited.run([{ seq: 1 }, { seq: 2, timeUs: longAgo }])).toEqual(['stored', 'quarantined']);
  expect(await rows('select reason from quarantine')).toEqual([{ reason: 'TIMESTAMP_OUT_OF_RANGE' }]);
});

test('a partition that retention dropped meanwhile is made again on the next attempt, nothing is quarantined', async () => {
  await settling.run([{ seq: 1 }]);
  const [partition] = await rows<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'telemetry'::regclass`,
  );
  await database.pool.query(`drop table ${partition?.name}`);
  const plan = settling.plan([{ seq: 2 }]);
  await expect(settling.settle(plan)).rejects.toThrow(/no partition/);
  expect((await settling.settle(plan)).map(({ outcome }) => outcome)).toEqual(['stored']);
  expect(await count('quarantine')).toBe(0);
});
