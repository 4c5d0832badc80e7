import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { evictQuarantine } from '../../../src/store/maintenance/evict-quarantine.ts';
import {
  foldQuarantineTotals,
  forgetOldTokens,
} from '../../../src/store/maintenance/fold-quarantine-totals.ts';
import { createPartitions } from '../../../src/store/partitions.ts';
import { createPool } from '../../../src/store/pool.ts';
import { createRateLimiter } from '../../../src/worker/rate-limiter.ts';
import type { Candidate } from '../../../src/worker/replay/candidates.ts';
import { arrivedAtMs } from '../messages.ts';
import { insertRoute } from '../routing/insert-route.ts';
import { createWorld, log, vouched, type World } from './quarantine-world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const unregistered = { reason: 'UNREGISTERED_DEVICE' };

describe('what passes now leaves the quarantine', () => {
  test('messages of a device that was registered since are stored as they came, and the ledger moves', async () => {
    await world.send([
      { seq: 1 },
      { seq: 2, payload: { metrics: { temp: 23, n: 12345678901234567890n.toString() } } },
    ]);
    expect(await world.ledger()).toEqual({ stored: 0, duplicates: 0, quarantined: 2, internal: 0 });
    await world.register();
    const result = await world.replay(unregistered);
    expect(result).toMatchObject({ stored: 2, duplicates: 0, refused: 0, passedOver: 0, complete: true });
    expect(await world.count('quarantine')).toBe(0);
    expect(await world.ledger()).toEqual({ stored: 2, duplicates: 0, quarantined: 0, internal: 0 });
    expect(
      await world.rows(`select stream_seq::int as seq, metrics->>'temp' as temp, extra,
        (extract(epoch from time) * 1000)::float8 as time, (extract(epoch from arrived_at) * 1000)::float8 as arrived
        from telemetry order by 1`),
    ).toEqual([
      { seq: 1, temp: '22', extra: null, time: arrivedAtMs, arrived: arrivedAtMs },
      { seq: 2, temp: '23', extra: null, time: arrivedAtMs, arrived: arrivedAtMs },
    ]);
    expect(await world.rows('select metric from sensors order by 1')).toEqual([
      { metric: 'n' },
      { metric: 'temp' },
    ]);
    expect(await world.count('device_state')).toBe(1);
  });

  test('what is stored is owed to the routes that it matches, and only once', async () => {
    const warm = {
      tenantId: 't1',
      name: 'warm',
      condition: 'metrics.temp > 22',
      ratePerSecond: 0.001,
      burst: 1,
    };
    const route = await insertRoute(world.pool, warm);
    await insertRoute(world.pool, { tenantId: 't1', name: 'cold', condition: 'metrics.temp < 22' });
    const temps = [22, 23, 24];
    await world.send(temps.map((temp, index) => ({ seq: index + 1, payload: { metrics: { temp } } })));
    expect(await world.count('route_outbox')).toBe(0);
    await world.register();
    await world.replay(unregistered);
    await world.replay(unregistered);
    // Over its cap, which is for what devices send.
    expect(
      await world.rows(`select route_ids, due_at <= now() as due, array(
          select (t.metrics ->> 'temp')::int from telemetry t where t.identity = any(o.identities) order by 1
        ) as temps from route_outbox o`),
    ).toEqual([{ route_ids: [route, route], due: true, temps: [23, 24] }]);
  });

  test('a row is the same as if the device had been registered in time', async () => {
    const message = { payload: { ts: '2026-01-01T00:00:00.123456Z', seq: 9, fw: '1.2', big: '1e400' } };
    await world.send([{ seq: 1, ...message }]);
    await world.register();
    await world.replay({ ids: [1n] });
    const columns =
      'time, tenant_id, device_id, site_id, msg_type, seq, metrics, extra, arrived_at, identity';
    const [replayed] = await world.rows(`select ${columns} from telemetry`);
    // The identity is the same too: the same message again is a duplicate of it.
    expect(await world.send([{ seq: 2, ...message }])).toEqual(['duplicate']);
    await world.database.pool.query('delete from telemetry');
    expect(await world.send([{ seq: 3, ...message }])).toEqual(['stored']);
    expect(await world.rows(`select ${columns} from telemetry`)).toEqual([replayed as never]);
  });

  test('twice is as good as once', async () => {
    await world.send([{ seq: 1 }, { seq: 2, payload: { site_id: 's2' } }]);
    await world.register();
    await world.replay({});
    const before = await world.ledger();
    const again = await world.replay({});
    expect(again).toMatchObject({ stored: 0, duplicates: 0, refused: 1 });
    expect([before, await world.count('telemetry'), await world.reasons()]).toEqual([
      await world.ledger(),
      1,
      ['SITE_MISMATCH'],
    ]);
    expect(await world.replay(unregistered)).toMatchObject({ replayId: undefined, stored: 0 });
  });

  test('what is still refused says why it is now', async () => {
    await world.send([{ seq: 1 }, { seq: 2, payload: { metrics: { temp: [1] } } }]);
    await world.register('another-token');
    expect(await world.replay({})).toMatchObject({
      refused: 2,
      reasons: new Map([
        ['TOKEN_INVALID', 1],
        ['METRIC_VALUE_INVALID', 1],
      ]),
    });
    expect(await world.reasons()).toEqual(['TOKEN_INVALID', 'METRIC_VALUE_INVALID']);
    expect(await world.ledger()).toEqual({ stored: 0, duplicates: 0, quarantined: 2, internal: 0 });
  });

  test('only what is selected is replayed', async () => {
    await world.send([1, 2, 3, 4].map((seq) => ({ seq })));
    await world.register();
    expect(await world.replay({ ids: [2n, 4n, 99n] })).toMatchObject({ stored: 2 });
    expect(await world.replay({ tenantId: 'other' })).toMatchObject({ stored: 0 });
    expect(await world.replay({ deviceId: 'd2' })).toMatchObject({ stored: 0 });
    expect(await world.replay({ reason: 'RATE_LIMITED' })).toMatchObject({ stored: 0 });
    expect(await world.replay({ beforeMs: Date.now() - 60_000 })).toMatchObject({ stored: 0 });
    expect(await world.replay({ tenantId: 't1', deviceId: 'd1' })).toMatchObject({ stored: 2 });
  });

  test('more than one chunk, of two incarnations of the stream', async () => {
    const sent = Array.from({ length: 700 }, (_, index) => ({
      seq: index + 1,
      payload: { metrics: { n: index } },
    }));
    await world.send(sent);
    await world.send(sent.slice(0, 50).map((each) => ({ ...each, epoch: '2026-02-02T00:00:00Z' })));
    await world.register();
    const progress: number[] = [];
    const result = await world.replay({}, { onProgress: (done) => progress.push(done) });
    expect(result.stored + result.duplicates).toBe(750);
    expect(progress.at(-1)).toBe(750);
    expect(progress.length).toBeGreaterThan(2);
    const left = await world.rows('select sum(quarantined)::int as left from ledger group by epoch');
    expect(left).toEqual([{ left: 0 }, { left: 0 }]);
  });

  test('live taps are told after the commit, of what was stored', async () => {
    await world.send([{ seq: 1 }, { seq: 2, payload: { site_id: 's2' } }]);
    await world.register();
    const told: Candidate[] = [];
    await world.replay({}, { onSettled: (judged) => told.push(...judged) });
    expect(told.map(({ outcome }) => outcome)).toEqual(['stored', 'quarantined']);
  });

  test('a tenant’s new weeks are made as for live messages', async () => {
    const ts = arrivedAtMs - 200 * 86_400_000;
    await world.send([{ seq: 1, payload: { ts } }]);
    await world.register();
    expect(await world.replay({})).toMatchObject({ stored: 1 });
    expect(await world.rows('select (extract(epoch from time) * 1000)::float8 as t from telemetry')).toEqual([
      { t: ts },
    ]);
  });

  test('latest values do not go back in time', async () => {
    await world.send([{ seq: 1, payload: { metrics: { temp: 1 } } }]);
    await world.register();
    await world.send([{ seq: 2, envelope: { ts: arrivedAtMs + 1 }, payload: { metrics: { temp: 2 } } }]);
    await world.replay({});
    expect(await world.rows('select latest::text from sensors')).toEqual([{ latest: '2' }]);
    expect(
      await world.rows('select (extract(epoch from last_seen_at) * 1000)::float8 as at from device_state'),
    ).toEqual([{ at: arrivedAtMs + 1 }]);
  });
});

test('a message that was limited is stored without being charged', async () => {
  await using strict = await createWorld({
    limiter: createRateLimiter({
      device: { ratePerSecond: 0.001, burst: 1 },
      tenant: { ratePerSecond: 1e6, burst: 1e8 },
    }),
  });
  await strict.register();
  const sent = [1, 2, 3].map((seq) => ({ seq, payload: { metrics: { n: seq } } }));
  expect(await strict.send(sent)).toEqual(['stored', 'quarantined', 'quarantined']);
  expect(await strict.replay({ reason: 'RATE_LIMITED' })).toMatchObject({ stored: 2 });
  expect(await strict.ledger()).toEqual({ stored: 3, duplicates: 0, quarantined: 0, internal: 0 });
});

test('a writer that owns nothing can replay, and evict', async () => {
  await using world = await createWorld();
  await world.send([{ seq: 1 }, { seq: 2, payload: { provision_token: 'wrong' } }]);
  await world.register();
  const url = new URL(world.database.url);
  url.searchParams.set('options', '-c role=tributary_writer');
  const pool = createPool({ databaseUrl: url.href, max: 2, name: 'writer', log });
  try {
    const partitions = createPartitions({ pool, log, clock: Date.now });
    expect(await world.replay({}, { pool, partitions, ...vouched })).toMatchObject({ stored: 2 });
    await world.send([{ seq: 3, payload: { provision_token: 'wrong' } }]);
    const none = { rows: 0, bytes: 0 };
    expect(await evictQuarantine(pool, { days: 30, limits: { tenant: none, unknown: none } })).toBe(1);
    await foldQuarantineTotals(pool, 400);
    await forgetOldTokens(pool, 400);
  } finally {
    await pool.end();
  }
});
