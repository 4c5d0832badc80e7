import { expect, test } from 'bun:test';
import type { OverviewSample } from '../../../src/console/installation-service.ts';
import { blockedBy } from '../../../src/roles/console/overview/blocked-by.ts';
import { stretchBetween } from '../../../src/roles/console/overview/flow-history.ts';
import { type Look, ofTenant } from '../../../src/roles/console/overview/look.ts';
import { ratesBetween } from '../../../src/roles/console/overview/role-rates.ts';
import { createSharedFeed } from '../../../src/roles/console/overview/shared-feed.ts';
import type { RoleAnswer } from '../../../src/roles/status/probe-nats.ts';
import { until } from '../../harness/until.ts';

const role = (id: string, more: Record<string, unknown>, uptimeMs = 60_000): RoleAnswer => ({
  role: id.split('-')[0] ?? '',
  id,
  version: '0',
  pid: 1,
  host: 'h',
  uptimeMs,
  ...more,
});

const gateway = (accepted: number, batch = 0) => ({
  intake: { http: { accepted }, batch: { accepted: batch } },
});
const worker = (stored: number, counts: number[]) => ({
  settled: { stored, duplicate: 1, quarantined: 2, internal: 9 },
  doorToRowHistogramMs: { bounds: [10, 20], counts },
});

test('rates are what each process counted more than before, over all of them', () => {
  const before = [role('gateway-1', gateway(100, 10)), role('worker-1', worker(5, [5, 0, 0]))];
  const after = [role('gateway-1', gateway(120, 20)), role('worker-1', worker(25, [15, 10, 0]))];
  expect(ratesBetween(before, after, 2_000)).toEqual({
    bySource: { http: 15, mqtt: 0 },
    byVerdict: { stored: 10, duplicate: 0, quarantined: 0 },
    atDoor: { duplicate: 0, unavailable: 0 },
    doorToRowMs: { p50: 10, p99: 19.8 },
  });
});

test('a process that starts counts from its start, one that was only not heard before does not, one that ends never counts back', () => {
  const before = [role('gateway-1', gateway(1_000)), role('gateway-2', gateway(7))];
  const after = [
    role('gateway-2', gateway(7)),
    role('gateway-3', gateway(40), 500),
    role('gateway-4', gateway(1_000_000), 90_000),
  ];
  expect(ratesBetween(before, after, 1_000).bySource).toEqual({ http: 40, mqtt: 0 });
  // As if its counters had been set back.
  expect(ratesBetween(before, [role('gateway-1', gateway(1))], 1_000).bySource).toEqual({ http: 0, mqtt: 0 });
});

test('what roles of another version answer is passed over', () => {
  const strange = [role('gateway-1', { intake: 'much', settled: null, doorToRowHistogramMs: { bounds: 1 } })];
  expect(ratesBetween(strange, strange, 1_000)).toEqual({
    bySource: { http: 0, mqtt: 0 },
    byVerdict: { stored: 0, duplicate: 0, quarantined: 0 },
    atDoor: { duplicate: 0, unavailable: 0 },
    doorToRowMs: { p50: null, p99: null },
  });
});

test('one look serves all who listen, lingers for who comes back, and ends without listeners', async () => {
  const opened: string[] = [];
  let tell: (sample: OverviewSample) => void = () => undefined;
  const feed = createSharedFeed({
    lingerMs: 5,
    past: () => [],
    open: (to) => {
      opened.push('open');
      tell = to;
      return () => opened.push('end');
    },
  });
  const heard: string[] = [];
  const end = [feed.subscribe(({ time }) => heard.push(`a ${time}`))];
  const sample = { time: '1', in_per_second: 0, by_verdict: {} } as unknown as OverviewSample;
  tell(sample);
  end.push(feed.subscribe(({ time }) => heard.push(`b ${time}`)));
  tell({ ...sample, time: '2' });
  expect([opened, heard]).toEqual([['open'], ['a 1', 'b 1', 'a 2', 'b 2']]);
  for (const each of end) each();
  await until(() => opened.length === 2, { what: 'it ends' });
  expect(opened).toEqual(['open', 'end']);
  feed.subscribe(({ time }) => heard.push(time))();
  // What was known before is too old to be told.
  expect(heard).toHaveLength(4);
  feed.close();
});

test('what a feed told comes behind what was known before it began, and is forgotten with it', () => {
  let tell: (sample: OverviewSample) => void = () => undefined;
  const past = [
    { timeMs: 1_000, in: 5, settled: 5 },
    { timeMs: 9_000, in: 7, settled: 7 },
  ];
  const feed = createSharedFeed({
    lingerMs: 60_000,
    past: () => past,
    open: (to) => {
      tell = to;
      return () => undefined;
    },
  });
  expect(feed.history()).toEqual(past);
  feed.subscribe(() => undefined);
  const by_verdict = { stored: 1, duplicate: 1, quarantined: 1 };
  tell({ time: '1970-01-01T00:00:08.000Z', in_per_second: 4, by_verdict } as unknown as OverviewSample);
  expect(feed.history()).toEqual([
    { timeMs: 1_000, in: 5, settled: 5 },
    { timeMs: 8_000, in: 4, settled: 3 },
  ]);
  feed.close();
  expect(feed.history()).toEqual(past);
});

test('what doors answered without a place in the stream is told apart', () => {
  const door = (duplicate: number, unavailable: number) =>
    role('gateway-1', { intake: { http: { duplicate }, batch: { duplicate, unavailable, too_large: 9 } } });
  expect(ratesBetween([door(0, 0)], [door(2, 3)], 2_000).atDoor).toEqual({ duplicate: 2, unavailable: 1.5 });
});

test('of one tenant nothing is told but what a role says of that tenant', () => {
  const whole = {
    ...gateway(1_000),
    tenant: { tenantId: 'acme', intake: { http: { accepted: 3 } }, id: 'x' },
  };
  const answer = role('gateway-1', whole);
  expect(ofTenant(answer, 'acme')).toMatchObject({ id: 'gateway-1', intake: { http: { accepted: 3 } } });
  expect(ofTenant(answer, 'globex')).not.toHaveProperty('intake');
  // One of an earlier version answers for all.
  expect(ofTenant(role('gateway-1', gateway(1_000)), 'acme')).not.toHaveProperty('intake');
});

const flowing: Look = {
  atMs: 0,
  natsAnswers: true,
  databaseAnswers: true,
  roles: [role('gateway-1', {}), role('worker-1', {})],
  stream: { bytes: 10, maxBytes: 1_000, backlog: 1 },
};
const without = (gone: string) => ({ roles: flowing.roles.filter((each) => each.role !== gone) });

test.each<[string | null, Partial<Look>, number?]>([
  [null, {}],
  ['nats_away', { natsAnswers: false, roles: [], stream: undefined, databaseAnswers: false }],
  ['jetstream_away', { stream: undefined }],
  ['database_away', { databaseAnswers: false, ...without('worker') }],
  ['no_worker', { ...without('worker'), stream: { bytes: 1_000, maxBytes: 1_000, backlog: 5 } }],
  ['stream_full', { stream: { bytes: 1_000, maxBytes: 1_000, backlog: 5 } }],
  ['stream_full', { stream: { bytes: 950, maxBytes: 1_000, backlog: 5 } }, 3],
  // Nearly full and nobody refused, or refused for another reason.
  [null, { stream: { bytes: 950, maxBytes: 1_000, backlog: 5 } }],
  [null, {}, 3],
  ['no_door', without('gateway')],
  [null, { stream: null }],
])('%p blocks where %j', (block, changes, refusedPerSecond = 0) => {
  const look = { ...flowing, ...changes };
  expect(blockedBy(look, look, refusedPerSecond)).toBe(block as ReturnType<typeof blockedBy>);
});

test('one look alone blocks nothing: an answer may have come too late', () => {
  for (const changes of [{ natsAnswers: false }, { databaseAnswers: false }, without('worker')]) {
    expect(blockedBy(flowing, { ...flowing, ...changes }, 0)).toBeNull();
    expect(blockedBy({ ...flowing, ...changes }, flowing, 0)).toBeNull();
  }
});

test('a stretch of the past tells of all and of each tenant, of none that it does not know of', () => {
  const door = (acme: number, uptimeMs?: number) =>
    role(
      'gateway-1',
      { ...gateway(acme + 10), tenants: { kind: 'in', counts: [['acme', acme]] }, tenantsLeftOut: 0 },
      uptimeMs,
    );
  const settling = (counts: [string, number][], tenantsLeftOut = 0) =>
    role('worker-1', { ...worker(0, []), tenants: { kind: 'settled', counts }, tenantsLeftOut });
  const before = [door(100), settling([['acme', 50]])];
  const after = [
    door(150),
    settling([
      ['acme', 60],
      ['constructor', 5],
    ]),
  ];
  const stretch = stretchBetween(before, after, 5_000);
  expect(stretch).toMatchObject({ in: 10, settled: 0, isPartial: false });
  expect([...stretch.tenants]).toEqual([
    ['acme', { in: 10, settled: 2 }],
    ['constructor', { in: 0, settled: 1 }],
  ]);
  // A tenant that was left out before has not sent all that at once.
  const partial = stretchBetween(
    [settling([], 1)],
    [
      settling(
        [
          ['acme', 9_000],
          ['globex', 1],
        ],
        1,
      ),
    ],
    5_000,
  );
  expect([partial.isPartial, partial.tenants.size]).toEqual([true, 0]);
  // It was there before, and was not heard.
  expect(stretchBetween([], [door(7_000)], 5_000).tenants.size).toBe(0);
  expect(stretchBetween([], [door(50, 4_000)], 5_000).tenants.get('acme')).toEqual({ in: 10, settled: 0 });
});
