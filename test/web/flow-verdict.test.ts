import { expect, test } from 'bun:test';
import { judgeFlow } from '../../web/lib/flow-verdict.ts';
import type { Block, FlowPoint, OverviewSample } from '../../web/lib/types.ts';

const startMs = Date.parse('2026-01-01T00:00:00.000Z');
const flowing: OverviewSample = {
  time: new Date(startMs).toISOString(),
  in_per_second: 2_000,
  out_per_second: 1_990,
  by_source: { http: 2_000, mqtt: 0 },
  by_verdict: { stored: 1_990, duplicate: 0, quarantined: 0 },
  duplicates_at_door: 0,
  refused_per_second: 0,
  blocked_by: null,
  backlog: 40,
  door_to_row_ms: { p50: 20, p99: 90 },
  unaccounted: 0,
  durability: 'process_crash_safe',
  devices: { online: 10, stale: 0, offline: 0 },
};

const nothing = { out_per_second: 0, by_verdict: { stored: 0, duplicate: 0, quarantined: 0 } };

const samplesOf = (changes: Partial<OverviewSample>, seconds: number) =>
  Array.from({ length: seconds }, (_, n) => ({
    ...flowing,
    ...changes,
    time: new Date(startMs + n * 1_000).toISOString(),
  }));

const judge = (changes: Partial<OverviewSample>, isStale = false) =>
  judgeFlow({ samples: samplesOf(changes, 12), past: [] }, isStale);

test('the verdict names the worst that is so', () => {
  expect(judge({})).toMatchObject({ tone: 'good', title: 'Flowing' });
  expect(judge({}).sentence).toContain('2,000');
  expect(judge({ ...nothing, in_per_second: 0, backlog: 0 })).toMatchObject({ title: 'Idle' });
  expect(judge({ backlog: 90_000 })).toMatchObject({ tone: 'warn', title: 'Backing up' });
  expect(judge({ backlog: 90_000, out_per_second: 9_000 })).toMatchObject({ title: 'Catching up' });
  expect(judge({ door_to_row_ms: { p50: 900, p99: 8_000 } })).toMatchObject({ tone: 'warn' });
  expect(judge({ ...nothing, backlog: 500 })).toMatchObject({ tone: 'bad', title: 'Standing still' });
  expect(judge({ refused_per_second: 4 })).toMatchObject({ tone: 'bad', title: 'Turning away' });
  expect(judge({ unaccounted: 3, backlog: 90_000 })).toMatchObject({ tone: 'bad', title: 'Unaccounted' });
  expect(judge({ unaccounted: 3 }, true)).toMatchObject({ title: 'No news' });
});

test('what is refused is settled, and told with where to look', () => {
  const by = (stored: number, quarantined: number) =>
    judge({ out_per_second: stored, by_verdict: { stored, duplicate: 0, quarantined } });
  expect(by(1_950, 50)).toMatchObject({ title: 'Flowing' });
  expect(by(1_500, 500)).toMatchObject({ tone: 'warn', title: 'Much is refused', see: 'quarantine' });
  expect(by(1_500, 500).sentence).toStartWith('25 %');
  expect(by(0, 2_000)).toMatchObject({ title: 'Nothing is stored' });
});

test.each<[Block, string]>([
  ['nats_away', 'NATS is away'],
  ['jetstream_away', 'JetStream is away'],
  ['database_away', 'PostgreSQL is away'],
  ['no_worker', 'No worker answers'],
  ['stream_full', 'The stream is full'],
  ['no_door', 'No door is open'],
])('%s is said with the first sample, before anything else', (blocked_by, title) => {
  const idle = { ...nothing, in_per_second: 0, backlog: null, blocked_by };
  expect(judgeFlow({ samples: samplesOf(idle, 1), past: [] }, false)).toMatchObject({ tone: 'bad', title });
});

test('what waits for a worker fills the stream: then both are said', () => {
  const of = (refused_per_second: number) =>
    judge({ ...nothing, blocked_by: 'no_worker', refused_per_second });
  expect(of(0).sentence).not.toContain('turned away');
  expect(of(9).sentence).toContain('Devices are turned away');
});

test('a page that was just opened knows from the past that nothing moves', () => {
  const still = samplesOf({ ...nothing, backlog: 500 }, 2);
  const past = (settled: number): FlowPoint[] =>
    [9, 4].map((ago) => ({ timeMs: startMs - ago * 1_000, in: 3, settled }));
  expect(judgeFlow({ samples: still, past: past(0) }, false)).toMatchObject({ title: 'Standing still' });
  expect(judgeFlow({ samples: still, past: past(7) }, false).title).not.toBe('Standing still');
  expect(judgeFlow({ samples: still, past: [] }, false).title).not.toBe('Standing still');
});

test('without a figure yet it says so', () => {
  expect(judgeFlow({ samples: [], past: [] }, false)).toMatchObject({ tone: 'quiet', title: 'Listening' });
});
