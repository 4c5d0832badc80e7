import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Backlog } from '../../src/stream/backlog-sample.ts';
import type { PublishFailure } from '../../src/stream/publisher.ts';
import { retryAfterSeconds } from '../../src/stream/retry-after.ts';

const whys: PublishFailure[] = [
  'overloaded',
  'disconnected',
  'timeout',
  'stream_full',
  'tenant_full',
  'too_large',
  'no_stream',
  'refused',
];

const count = fc.integer({ min: 0, max: 1_000_000_000 });
const backlogs: fc.Arbitrary<Backlog> = fc.record({
  streamMessages: count,
  streamBytes: count,
  streamMaxBytes: fc.integer({ min: -1, max: 2 ** 40 }),
  maxPerTenant: fc.integer({ min: -1, max: 10_000_000 }),
  pending: count,
  ackPending: count,
  drainedPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true })),
});

function backlog(fields: Partial<Backlog>): Backlog {
  return {
    streamMessages: 0,
    streamBytes: 0,
    streamMaxBytes: 1e9,
    maxPerTenant: 1_000,
    pending: 0,
    ackPending: 0,
    drainedPerSecond: 0,
    ...fields,
  };
}

const middle = () => 0.5;

test('always whole seconds from 1 to 60, whatever is measured', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...whys),
      fc.option(backlogs, { nil: undefined }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (why, sample, disconnectedForMs, random) => {
        const seconds = retryAfterSeconds({ why, backlog: sample, disconnectedForMs, random: () => random });
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeWithin(1, 61);
      },
    ),
  );
});

test('a full stream or tenant: 60 when nothing drains, and never longer when it drains faster', () => {
  for (const why of ['stream_full', 'tenant_full'] as const) {
    const at = (drainedPerSecond: number) =>
      retryAfterSeconds({
        why,
        backlog: backlog({ streamMessages: 100_000, drainedPerSecond }),
        disconnectedForMs: 0,
        random: middle,
      });
    expect(at(0)).toBe(60);
    const rising = [1, 10, 100, 500, 1_000, 5_000, 100_000].map(at);
    expect(rising).toEqual(rising.toSorted((a, b) => b - a));
    // A tenth of 100,000 at 500/s.
    expect(at(500)).toBe(20);
    expect(at(100_000)).toBe(1);
  }
});

test('a tenant that is full by itself waits for a tenth of its own messages', () => {
  const seconds = retryAfterSeconds({
    why: 'tenant_full',
    backlog: backlog({ streamMessages: 50_000, maxPerTenant: 50_000, drainedPerSecond: 1_000 }),
    disconnectedForMs: 0,
    random: middle,
  });
  expect(seconds).toBe(5);
});

test('while NATS is away the pause grows with the outage from one or two seconds', () => {
  const at = (disconnectedForMs: number, random: () => number) =>
    retryAfterSeconds({ why: 'disconnected', backlog: undefined, disconnectedForMs, random });
  expect([at(0, () => 0), at(0, () => 0.999)]).toEqual([1, 2]);
  expect(at(20_000, middle)).toBe(20);
  expect(at(3_600_000, middle)).toBe(60);
});

test('what was refused together does not come back together', () => {
  const draws = [0, 0.25, 0.5, 0.75, 0.999].map((value) =>
    retryAfterSeconds({
      why: 'stream_full',
      backlog: backlog({ streamMessages: 100_000, drainedPerSecond: 500 }),
      disconnectedForMs: 0,
      random: () => value,
    }),
  );
  expect(draws).toEqual([15, 18, 20, 23, 25]);
});
