import { expect, test } from 'bun:test';
import type { CanaryState } from '../../../src/intake/canary.ts';
import { describeFlow, type FlowFacts } from '../../../src/roles/doors/flow.ts';

const through: CanaryState = { doorToRowMs: 12, ageMs: 4_000, cameAtMs: 1_000_000, refusedWhy: undefined };

const healthy: FlowFacts = {
  disconnectedForMs: 0,
  canary: through,
  canaryIntervalMs: 5_000,
  fullAgoMs: undefined,
  backlog: undefined,
  durability: undefined,
  audit: { unaccounted: 0, unacknowledged: 0 },
};

const problemsOf = (facts: Partial<FlowFacts>) => describeFlow({ ...healthy, ...facts }).problems;

test('all well: it flows, without a sentence', () => {
  expect(describeFlow(healthy)).toMatchObject({ flowing: true, doorToRowMs: 12, problems: [] });
});

test.each<[string, Partial<FlowFacts>, RegExp]>([
  ['NATS never reached', { disconnectedForMs: undefined, canary: undefined }, /not been reached/],
  ['NATS away', { disconnectedForMs: 3_400 }, /away for 3 s/],
  ['no canary yet', { canary: { ...through, ageMs: undefined } }, /No canary has come through yet/],
  [
    'the last canary long ago',
    { canary: { ...through, ageMs: 15_001 } },
    /came through 15 s ago. Is a worker/,
  ],
  [
    'the last canary long ago, the latest refused',
    { canary: { ...through, ageMs: 20_000, refusedWhy: 'timeout' } },
    /20 s ago. JetStream refused the latest: timeout/,
  ],
  ['the stream full', { canary: { ...through, refusedWhy: 'stream_full' } }, /TELEMETRY is full/],
  ['the stream full, for messages larger than a canary', { fullAgoMs: 4_999 }, /TELEMETRY is full/],
  [
    'messages that nobody accounts for',
    { audit: { unaccounted: 5, unacknowledged: 3 } },
    /does not account for 3 messages/,
  ],
])('%s: it does not flow, and says why', (_, facts, sentence) => {
  const { flowing, problems } = describeFlow({ ...healthy, ...facts });
  expect(flowing).toBe(false);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(sentence);
});

test('one refused canary is no standstill, an audit that is not known neither', () => {
  expect(problemsOf({ canary: { ...through, refusedWhy: 'timeout' }, audit: undefined })).toEqual([]);
  expect(problemsOf({ audit: { unaccounted: 5, unacknowledged: 0 } })).toEqual([]);
  expect(problemsOf({ fullAgoMs: 5_001 })).toEqual([]);
});

test('with seldom canaries their age counts by their interval', () => {
  expect(problemsOf({ canaryIntervalMs: 60_000, canary: { ...through, ageMs: 179_000 } })).toEqual([]);
  expect(problemsOf({ canaryIntervalMs: 60_000, canary: { ...through, ageMs: 181_000 } })).toHaveLength(1);
});

test('without canaries the connection alone is judged', () => {
  expect(problemsOf({ canary: undefined, canaryIntervalMs: 0 })).toEqual([]);
});
