import { expect, test } from 'bun:test';
import { judgeFlow } from '../../web/lib/flow-verdict.ts';
import type { OverviewSample } from '../../web/lib/types.ts';

const flowing: OverviewSample = {
  time: '2026-01-01T00:00:00.000000Z',
  in_per_second: 2_000,
  out_per_second: 1_990,
  by_source: { http: 2_000, mqtt: 0 },
  by_verdict: { stored: 1_990, duplicate: 0, quarantined: 0 },
  backlog: 40,
  door_to_row_ms: { p50: 20, p99: 90 },
  unaccounted: 0,
  durability: 'process_crash_safe',
  devices: { online: 10, stale: 0, offline: 0 },
};

const nothing = { out_per_second: 0, by_verdict: { stored: 0, duplicate: 0, quarantined: 0 } };

const judge = (changes: Partial<OverviewSample>, isStale = false) =>
  judgeFlow(
    Array.from({ length: 12 }, () => ({ ...flowing, ...changes })),
    isStale,
  );

test('the verdict names the worst that is so', () => {
  expect(judge({})).toMatchObject({ tone: 'good', title: 'Flowing' });
  expect(judge({}).sentence).toContain('2,000');
  expect(judge({ ...nothing, in_per_second: 0, backlog: 0 })).toMatchObject({ title: 'Idle' });
  expect(judge({ backlog: 90_000 })).toMatchObject({ tone: 'warn', title: 'Backing up' });
  expect(judge({ backlog: 90_000, out_per_second: 9_000 })).toMatchObject({ title: 'Catching up' });
  expect(judge({ door_to_row_ms: { p50: 900, p99: 8_000 } })).toMatchObject({ tone: 'warn' });
  expect(judge({ ...nothing, backlog: 500 })).toMatchObject({ tone: 'bad', title: 'Standing still' });
  // What is refused is settled, too.
  const refused = { stored: 0, duplicate: 0, quarantined: 2_000 };
  expect(judge({ out_per_second: 0, by_verdict: refused })).toMatchObject({ title: 'Flowing' });
  expect(judge({ unaccounted: 3, backlog: 90_000 })).toMatchObject({ tone: 'bad', title: 'Unaccounted' });
  expect(judge({ unaccounted: 3 }, true)).toMatchObject({ title: 'No news' });
});

test('without a figure yet it says so', () => {
  expect(judgeFlow([], false)).toMatchObject({ tone: 'quiet', title: 'Listening' });
});
