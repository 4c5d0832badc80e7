import { expect, test } from 'bun:test';
import type { OverviewSample } from '../../../src/console/installation-service.ts';
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
    doorToRowMs: { p50: null, p99: null },
  });
});

test('one look serves all who listen, lingers for who comes back, and ends without listeners', async () => {
  const opened: string[] = [];
  let tell: (sample: OverviewSample) => void = () => undefined;
  const feed = createSharedFeed({
    lingerMs: 5,
    open: (to) => {
      opened.push('open');
      tell = to;
      return () => opened.push('end');
    },
  });
  const heard: string[] = [];
  const end = [feed.subscribe(({ time }) => heard.push(`a ${time}`))];
  const sample = { time: '1' } as OverviewSample;
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
