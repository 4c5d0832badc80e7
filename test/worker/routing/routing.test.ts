import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { canonicalJson } from '../../../src/model/canonical-hash.ts';
import { parseExactJson } from '../../../src/model/exact-json.ts';
import { jobJson } from '../../../src/model/job-json.ts';
import type { PublishResult } from '../../../src/stream/publisher.ts';
import { until } from '../../harness/until.ts';
import { looseJson } from '../../model/json-arbitraries.ts';
import { hex } from '../settling.ts';
import { insertRoute, totalsOf } from './insert-route.ts';
import { createRoutingWorld, type RoutingWorld } from './routing-world.ts';

let world: RoutingWorld;
beforeEach(async () => {
  world = await createRoutingWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const refusal = { outcome: 'quarantine', rejection: { reason: 'TOKEN_INVALID', detail: 'no' } } as const;
const emptied = () => until(async () => (await world.outbox()) === 0, { what: 'the outbox is empty' });
/** Publishes nothing and sweeps nothing: what a worker that dies right after its COMMIT leaves behind. */
const dead = {
  publisher: { publish: () => new Promise<PublishResult>(() => undefined) },
  sweepEveryMs: 3_600_000,
};
const idOf = (route: number, seq: number) => `r1.${route}.${hex(seq)}`;
const idsIn = async () =>
  (await world.jobs()).map(({ routeId, identity }) => `r1.${routeId}.${identity}`).toSorted();
/** What is in a worker's own hands becomes anybody's. */
const makeDue = () => world.pool.query('update route_outbox set due_at = now()');

describe('what is stored becomes jobs', () => {
  test('accepted messages only: no canary, nothing quarantined, no duplicate, no redelivery', async () => {
    const all = await insertRoute(world.pool, { name: 'all' });
    const { settling } = await world.start();
    const outcomes = await settling.run([
      { seq: 1 },
      { seq: 2, verdict: refusal },
      { seq: 3, verdict: { outcome: 'internal' } },
      { seq: 4, identity: hex(1), timeUs: Date.UTC(2026, 5, 1, 0, 0, 0, 1) * 1_000 },
    ]);
    expect(outcomes).toEqual(['stored', 'quarantined', 'internal', 'duplicate']);
    await settling.run([{ seq: 1 }, { seq: 5 }]);
    await emptied();
    expect(await idsIn()).toEqual([idOf(all, 1), idOf(all, 5)]);
    expect(await totalsOf(world.pool, all)).toEqual({
      matched: 2,
      errors: 0,
      published: 2,
      dead: 0,
      evicted: 0,
    });
  });

  test('a job is the same to the byte from memory and from the database, in one spelling to the last digit', async () => {
    const route = await insertRoute(world.pool, { name: 'all' });
    const sent = {
      seq: 1,
      timeUs: Date.UTC(2026, 5, 1) * 1_000 + 7,
      metricsText:
        '{ "zz": 1.50, "n":12345678901234567890, "b":"\\u0041/\\u2028", "e":1E3, "tiny":1.2e-300, "huge":17e300, "z":-0.0 }',
      extraText: '{"tags":{"b":[1, 2.00], "a":null},"note":"x\\ty","long":1e40, "k":0.1234567890123456789}',
    };
    const dying = await world.start(dead);
    await dying.settling.run([sent]);
    const { settling } = await world.start();
    await makeDue();
    await emptied();
    const [swept] = await world.jobs();
    await settling.run([{ ...sent, seq: 2, metrics: { n: 1 } }]);
    await emptied();
    const [, fromMemory] = await world.jobs();
    expect(swept).toEqual({
      kind: 'message',
      routeId: route,
      tenantId: 'acme',
      deviceId: 'd1',
      identity: hex(1),
      siteId: 's1',
      msgType: 'telemetry',
      seq: undefined,
      time: '2026-06-01T00:00:00.000007Z',
      arrivedAt: '2026-06-01T00:00:00.001Z',
      metricsText:
        '{"b":"A/\u2028","e":1000,"huge":1.7e+301,"n":12345678901234567890,"tiny":1.2e-300,"z":0,"zz":1.5}',
      extraText: '{"k":0.1234567890123456789,"long":1e+40,"note":"x\\ty","tags":{"a":null,"b":[1,2]}}',
    });
    expect(fromMemory).toEqual({
      ...swept,
      identity: hex(2),
      arrivedAt: '2026-06-01T00:00:00.002Z',
    } as never);
  });

  test('whatever JSON PostgreSQL keeps, a job has the same bytes before and after', async () => {
    const texts = fc
      .sample(looseJson.object, { numRuns: 400, seed: 7 })
      // PostgreSQL refuses these, also where a later member of the name takes their place.
      .filter((text) => text.isWellFormed() && !/\\u0000|\\ud800/.test(text));
    const { rows } = await world.pool.query<{ kept: string }>(
      'select kept from unnest($1::text[]) with ordinality as t (text, n), lateral (select text::jsonb::text as kept) j order by n',
      [texts],
    );
    expect(texts.length).toBeGreaterThan(100);
    expect(rows.map(({ kept }) => jobJson(kept))).toEqual(texts.map(jobJson));
    // Nothing else changed: by value they are what was sent.
    expect(texts.map((text) => canonicalJson(parseExactJson(jobJson(text))))).toEqual(
      texts.map((text) => canonicalJson(parseExactJson(text))),
    );
  });

  test('a route that was made a moment before the transaction counts in it', async () => {
    const { settling } = await world.start();
    const route = await insertRoute(world.pool, { name: 'new' });
    await settling.run([{ seq: 1 }]);
    await emptied();
    expect(await idsIn()).toEqual([idOf(route, 1)]);
    await world.pool.query('update routes set enabled = false');
    await settling.run([{ seq: 2 }]);
    await world.pool.query('delete from routes');
    await settling.run([{ seq: 3 }]);
    expect(await world.outbox()).toBe(0);
    expect(await idsIn()).toHaveLength(1);
  });

  test('a condition that fails is counted against its route and leaves the message alone', async () => {
    const broken = await insertRoute(world.pool, { name: 'broken', condition: 'metrics.nope > 1' });
    const { settling } = await world.start();
    expect(await settling.run([{ seq: 1 }, { seq: 2 }])).toEqual(['stored', 'stored']);
    await emptied();
    expect(await totalsOf(world.pool, broken)).toMatchObject({ matched: 0, errors: 2 });
    expect(await idsIn()).toEqual([]);
  });
});

describe('nothing that is owed is lost', () => {
  test('killed between COMMIT and publish: the next sweep publishes it', async () => {
    const route = await insertRoute(world.pool, { name: 'all' });
    const dying = await world.start(dead);
    await dying.settling.run([{ seq: 1 }, { seq: 2 }]);
    // Still its own: nobody else publishes it meanwhile.
    const { settling } = await world.start();
    // Redelivered, since it died before its ack too.
    expect(await settling.run([{ seq: 1 }, { seq: 2 }])).toEqual(['claimed before', 'claimed before']);
    expect([await world.outbox(), await idsIn()]).toEqual([1, []]);
    await makeDue();
    await emptied();
    expect(await idsIn()).toEqual([idOf(route, 1), idOf(route, 2)]);
  });

  test('killed between PubAck and the outbox: published again under its id, which ROUTES knows, and counted once', async () => {
    const route = await insertRoute(world.pool, { name: 'all' });
    const { settling } = await world.start();
    // What the first worker's deletion never reached.
    await settling.run([{ seq: 1 }]);
    await emptied();
    await world.pool.query(`delete from route_totals`);
    await world.pool.query(`insert into route_outbox (job_group, kind, due_at, times_us, identities, route_ids)
      overriding system value
      select 1, 'message', now(), array[(extract(epoch from time) * 1e6)::bigint], array[identity], array[${route}]
      from telemetry`);
    await emptied();
    expect(await idsIn()).toEqual([idOf(route, 1)]);
    expect(await totalsOf(world.pool, route)).toMatchObject({ matched: 1, published: 1 });
  });

  test('of two workers that publish one group, one counts it', async () => {
    const route = await insertRoute(world.pool, { name: 'all' });
    const both = await Promise.all([world.start(), world.start({ totalsShard: 1 })]);
    const [one] = both;
    for (let seq = 1; seq <= 30; seq += 1) {
      await one?.settling.run([{ seq }]);
      await makeDue();
    }
    await emptied();
    expect(await idsIn()).toHaveLength(30);
    expect(await totalsOf(world.pool, route)).toMatchObject({ matched: 30, published: 30 });
  });

  test('an outcome that is not known keeps the group; a transaction that fails leaves none', async () => {
    const route = await insertRoute(world.pool, { name: 'all' });
    const unsure = { publish: async () => ({ ok: false, why: 'timeout', known: false }) as const };
    const { settling, drain } = await world.start({ publisher: unsure });
    await settling.run([{ seq: 1 }]);
    await drain();
    expect(await world.outbox()).toBe(1);
    await world.pool.query('alter table ledger rename to hidden');
    expect(settling.run([{ seq: 2 }])).rejects.toThrow('ledger');
    await world.pool.query('alter table hidden rename to ledger');
    expect(await world.outbox()).toBe(1);
    await world.start();
    await makeDue();
    await emptied();
    expect(await idsIn()).toEqual([idOf(route, 1)]);
  });
});

describe('what is refused becomes a dead letter', () => {
  const letters = () =>
    world.rows(`select tenant_id, route_name, reason, detail, kind, replace(identity::text, '-', '') as identity,
      exists (select from telemetry t where t.time = d.time and t.identity = d.identity) as refers
      from dead_letters d order by dead_letter_id`);

  test('over the route’s own cap, by arrival; a retry of the transaction does not take from the cap again', async () => {
    const capped = await insertRoute(world.pool, { name: 'capped', ratePerSecond: 0.002, burst: 2 });
    const free = await insertRoute(world.pool, { name: 'free' });
    const { settling } = await world.start();
    const plan = settling.plan([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
    await world.pool.query('alter table ledger rename to hidden');
    expect(settling.settle(plan)).rejects.toThrow('ledger');
    await world.pool.query('alter table hidden rename to ledger');
    await settling.settle(plan);
    await emptied();
    expect(await idsIn()).toEqual(
      [idOf(capped, 1), idOf(capped, 2), idOf(free, 1), idOf(free, 2), idOf(free, 3)].toSorted(),
    );
    expect(await letters()).toEqual([
      {
        tenant_id: 'acme',
        route_name: 'capped',
        reason: 'ROUTES_FULL',
        detail: "over the route's own cap of 0.002 a second, 2 at once",
        kind: 'message',
        identity: hex(3),
        refers: true,
      },
    ]);
    expect(await totalsOf(world.pool, capped)).toEqual({
      matched: 3,
      errors: 0,
      published: 2,
      dead: 1,
      evicted: 0,
    });
  });

  test('ROUTES is full: a dead letter each, what there is no room for is counted, and settling goes on', async () => {
    await using full = await createRoutingWorld({ routesMaxBytes: 20_000 });
    const route = await insertRoute(full.pool, { name: 'all' });
    const { settling } = await full.start({ maxDeadLetters: 50 });
    const scripts = Array.from({ length: 200 }, (_, index) => ({ seq: index + 1 }));
    expect(new Set(await settling.run(scripts))).toEqual(new Set(['stored']));
    await until(async () => (await full.outbox()) === 0, { what: 'the outbox is empty' });
    const inStream = (await full.jobs()).length;
    expect(inStream).toBeGreaterThan(10);
    const [kept] = await full.rows<{ n: number; detail: string }>(
      'select count(*)::int as n, min(detail) as detail from dead_letters',
    );
    expect(kept).toEqual({ n: 50, detail: 'ROUTES is full' });
    expect(await totalsOf(full.pool, route)).toEqual({
      matched: 200,
      errors: 0,
      published: inStream,
      dead: 200 - inStream,
      evicted: 150 - inStream,
    });
  });

  test('a message that is gone, and a route that is gone', async () => {
    const route = await insertRoute(world.pool, { name: 'all', ratePerSecond: 0.001, burst: 1 });
    const dying = await world.start(dead);
    await dying.settling.run([{ seq: 1 }, { seq: 2 }]);
    await world.pool.query(`delete from telemetry where identity = '${hex(1)}'`);
    await world.pool.query('delete from routes');
    await world.start();
    await makeDue();
    await emptied();
    const found = await world.rows<{ tenant_id: string; route_id: number; reason: string }>(
      'select tenant_id, route_id, reason from dead_letters order by reason',
    );
    expect(found).toEqual([
      { tenant_id: 'acme', route_id: route, reason: 'ROUTES_FULL' },
      { tenant_id: '', route_id: route, reason: 'UNDELIVERABLE' },
    ]);
  });
});

describe('a device goes silent and comes back', () => {
  const now = () => Date.now();

  test('each change is one job of the routes that ask for it, and of no others', async () => {
    const route = await insertRoute(world.pool, { name: 'silence', firesOn: ['status'] });
    await insertRoute(world.pool, { name: 'offline', firesOn: ['status'], condition: 'status == "NEVER"' });
    await insertRoute(world.pool, { name: 'messages', filter: 'tenant/acme/device/none/telemetry' });
    const { settling } = await world.start();
    await settling.run([{ seq: 1, arrivedAtMs: now() }]);
    expect(await idsIn()).toEqual([]);
    await world.pool.query(
      `update device_state set status = 'OFFLINE', status_since = now() - interval '1 hour'`,
    );
    await settling.run([{ seq: 2, arrivedAtMs: now() }]);
    await settling.run([{ seq: 3, arrivedAtMs: now() }]);
    await emptied();
    const jobs = await world.jobs();
    const [state] = await world.rows<{ since: Date }>('select status_since as since from device_state');
    expect(jobs).toHaveLength(1);
    expect(jobs[0]).toMatchObject({ kind: 'status', routeId: route, status: 'ONLINE', previous: 'OFFLINE' });
    expect(jobs[0]?.kind === 'status' && Date.parse(jobs[0].since)).toBe(state?.since.getTime() ?? 0);
    expect(await totalsOf(world.pool, route)).toMatchObject({ matched: 1, published: 1, dead: 0 });
  });

  test('over the cap it is a dead letter that carries the event', async () => {
    const route = await insertRoute(world.pool, {
      name: 'silence',
      firesOn: ['status'],
      ratePerSecond: 0.0001,
      burst: 1,
    });
    await world.start();
    for (const device of ['d1', 'd2'])
      await world.pool.query(`insert into route_outbox (kind, due_at, tenant_id, event) values ('status', now(), 'acme',
        '{"device_id":"${device}","status":"OFFLINE","previous":"STALE","since":"2026-06-01T00:00:00Z"}')`);
    await emptied();
    expect(await idsIn()).toHaveLength(1);
    const found = await world.rows(
      "select kind, reason, event ->> 'status' as status, time from dead_letters",
    );
    expect(found).toEqual([{ kind: 'status', reason: 'ROUTES_FULL', status: 'OFFLINE', time: null }]);
    expect(await totalsOf(world.pool, route)).toEqual({
      matched: 2,
      errors: 0,
      published: 1,
      dead: 1,
      evicted: 0,
    });
  });
});
