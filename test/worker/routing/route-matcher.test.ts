import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseExactJson } from '../../../src/model/exact-json.ts';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import type { RouteRule } from '../../../src/model/route.ts';
import { createConditionCompiler } from '../../../src/model/route-condition.ts';
import type { Reading } from '../../../src/model/verdict.ts';
import { createRouteCaps } from '../../../src/worker/routing/route-caps.ts';
import { createRouteMatcher } from '../../../src/worker/routing/route-matcher.ts';

const t1 = 't1' as TenantId;
const rule = (routeId: number, changes: Partial<RouteRule> = {}): RouteRule => ({
  routeId,
  tenantId: t1,
  name: `r${routeId}`,
  topicFilter: '#',
  condition: undefined,
  firesOn: ['message'],
  ratePerSecond: undefined,
  burst: undefined,
  enabled: true,
  ...changes,
});

const reading = (changes: Partial<Reading> & { metricsText?: string } = {}): Reading => {
  const metricsText = changes.metricsText ?? '{"temp":31}';
  return {
    tenantId: t1,
    deviceId: 'd1' as DeviceId,
    siteId: 's1',
    msgType: 'telemetry',
    timeUs: Date.UTC(2026, 5, 1) * 1_000,
    arrivedAtMs: Date.UTC(2026, 5, 1),
    seq: 1,
    metricsText,
    metrics: parseExactJson(metricsText) as Reading['metrics'],
    extraText: undefined,
    ...changes,
  };
};

function matcherOf(...rules: RouteRule[]) {
  let current: readonly RouteRule[] = rules;
  const routes = { routesOf: (tenantId: string) => (tenantId === t1 ? current : []) };
  return {
    ...createRouteMatcher({ routes, compile: createConditionCompiler() }),
    change: (...next: RouteRule[]) => {
      current = next;
    },
  };
}
const ids = (routes: readonly RouteRule[] | undefined) => routes?.map(({ routeId }) => routeId);

test('filters are MQTT’s, over the topic of the device', () => {
  const { matchReading } = matcherOf(
    rule(1),
    rule(2, { topicFilter: 'tenant/t1/device/+/telemetry' }),
    rule(3, { topicFilter: 'tenant/t1/device/d1/#' }),
    rule(4, { topicFilter: 'tenant/t1/device/d2/#' }),
    rule(5, { topicFilter: 'tenant/+/device/+/heartbeat' }),
    rule(6, { topicFilter: 'tenant/t1/device/d1/telemetry/#' }),
  );
  expect(ids(matchReading(reading())?.matched)).toEqual([1, 2, 3, 6]);
  expect(ids(matchReading(reading({ msgType: 'heartbeat' }))?.matched)).toEqual([1, 3, 5]);
  expect(ids(matchReading(reading({ deviceId: 'd2' as DeviceId }))?.matched)).toEqual([1, 2, 4]);
});

test('a condition that fails is counted against its route and matches nothing; the others go on', () => {
  const { matchReading } = matcherOf(
    rule(1, { condition: 'metrics.temp > 30.0' }),
    rule(2, { condition: 'metrics.nope > 30.0' }),
    // Written with SQL.
    rule(3, { condition: 'this is no CEL' }),
    rule(4, { condition: 'metrics.temp > 40.0' }),
  );
  const matches = matchReading(reading());
  expect([ids(matches?.matched), ids(matches?.failed)]).toEqual([[1], [2, 3]]);
});

test('numbers that a double cannot hold are compared as they are', () => {
  const { matchReading } = matcherOf(
    rule(1, { condition: 'metrics.n == 9007199254740993' }),
    rule(2, { condition: 'metrics.n == 9007199254740992' }),
    rule(3, { condition: 'metrics.huge > 1.0' }),
  );
  const matches = matchReading(reading({ metricsText: '{"n":9007199254740993,"huge":1e400}' }));
  expect([ids(matches?.matched), ids(matches?.failed)]).toEqual([[1, 3], []]);
});

test('routes that are looked at together come out as each condition does alone', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'toString', '__proto__');
  const number = fc.constantFrom(
    '0',
    '-0.0',
    '1',
    '1.0',
    '1.5',
    '-2',
    '1e308',
    '4.9e-324',
    '9007199254740993',
  );
  const part = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(key, fc.constantFrom('>', '>=', '<', '<=', '==', '!='), number)
        .map(([name, op, value]) => `metrics["${name}"] ${op} ${value}`),
    },
    fc.constantFrom(
      'msg_type == "telemetry"',
      'msg_type != "telemetry"',
      'msg_type == "heartbeat"',
      'site_id == "s1"',
      'has(metrics.a)',
      'metrics.b == "x"',
      'metrics.c',
      '(metrics.a > 1 || metrics.b > 1)',
      'size(metrics) > 2',
    ),
  );
  const condition = fc.option(
    fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(' && ')),
    {
      nil: undefined,
    },
  );
  const value = fc.constantFrom(
    ...['0', '-0', '1', '1.5', '-2', '1e308', '5e-324', '9007199254740992', '9007199254740993', '1e400'],
    ...['"x"', 'true', 'null'],
  );
  const metrics = fc
    .dictionary(fc.constantFrom('a', 'b', 'c', 'toString'), value)
    .map((values) => `{${Object.entries(values).map(([name, text]) => `"${name}":${text}`)}}`);
  const msgType = fc.constantFrom<Reading['msgType']>('telemetry', 'heartbeat');
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 1, maxLength: 8 }),
      fc.array(fc.record({ metricsText: metrics, msgType }), { minLength: 1, maxLength: 8 }),
      (conditions, messages) => {
        const together = matcherOf(...conditions.map((text, id) => rule(id, { condition: text })));
        // Nothing of these is plain, so that the library has all of it.
        const wrapped = conditions.map((text) => (text === undefined ? text : `(${text}) || false`));
        const alone = wrapped.map((text, id) => matcherOf(rule(id, { condition: text })));
        for (const message of messages) {
          const matches = together.matchReading(reading(message));
          const each = alone.map(({ matchReading }) => matchReading(reading(message)));
          expect([ids(matches?.matched), ids(matches?.failed)]).toEqual([
            each.flatMap((one) => ids(one?.matched) ?? []),
            each.flatMap((one) => ids(one?.failed) ?? []),
          ]);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('what a message has besides metrics can be asked for, up to a size', () => {
  const { matchReading } = matcherOf(
    rule(1, { condition: 'extra.room == "a" && seq == 1 && site_id == "s1"' }),
  );
  expect(ids(matchReading(reading({ extraText: '{"room":"a"}' }))?.matched)).toEqual([1]);
  const large = JSON.stringify({ room: 'a', rest: 'x'.repeat(20_000) });
  expect(ids(matchReading(reading({ extraText: large }))?.failed)).toEqual([1]);
  expect(ids(matchReading(reading())?.failed)).toEqual([1]);
});

test('a route fires on what it says, and a tenant without routes costs a look', () => {
  const matcher = matcherOf(
    rule(1, { firesOn: ['status'], condition: 'status == "OFFLINE" && previous == "STALE"' }),
    rule(2, { firesOn: ['message', 'status'] }),
    rule(3, { firesOn: ['status'], topicFilter: 'tenant/t1/device/+/telemetry' }),
  );
  expect(ids(matcher.matchReading(reading())?.matched)).toEqual([2]);
  const change = { tenantId: t1, deviceId: 'd1', status: 'OFFLINE', previous: 'STALE', sinceMs: 0 };
  expect(ids(matcher.matchStatus(change)?.matched)).toEqual([1, 2]);
  expect(ids(matcher.matchStatus({ ...change, status: 'ONLINE' })?.matched)).toEqual([2]);
  expect(matcher.followsStatus(t1)).toBe(true);
  expect(matcher.followsStatus('t2')).toBe(false);
  expect(matcher.matchReading(reading({ tenantId: 't2' as TenantId }))).toBeUndefined();
  matcher.change(rule(4));
  expect(ids(matcher.matchReading(reading())?.matched)).toEqual([4]);
  expect(matcher.followsStatus(t1)).toBe(false);
});

test('a cap counts arrival time: in a window of burst ÷ rate seconds it lets burst pass, in any order', () => {
  const caps = createRouteCaps();
  const capped = rule(1, { ratePerSecond: 2, burst: 4 });
  const at = Date.UTC(2026, 5, 1);
  const taken = [0, 1_999, 500, 2_001, 1_000, 100, 2_500].map((ms) => caps.take(capped, at + ms));
  expect(taken).toEqual([true, true, true, true, true, false, true]);
  expect(caps.take({ ...capped, routeId: 2 }, at)).toBe(true);
});

test('many routes are capped as each of them alone, whatever came before', () => {
  const at = Date.UTC(2026, 5, 1);
  // Windows of 2 and of 3 s.
  const routes = Array.from({ length: 12 }, (_, id) => rule(id, { ratePerSecond: 1, burst: 2 + (id % 2) }));
  const sets = [routes.slice(0, 9), routes.slice(3)];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...sets), fc.constantFrom(900, 2_100, 3_100)), {
        maxLength: 60,
      }),
      (steps) => {
        const [together, alone] = [createRouteCaps(), createRouteCaps()];
        for (const [set, ms] of steps) {
          const taken = set.map((route) => alone.take(route, at + ms));
          const { within, over } = together.takeEach(set, at + ms);
          expect([within, over]).toEqual([set.filter((_, i) => taken[i]), set.filter((_, i) => !taken[i])]);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
