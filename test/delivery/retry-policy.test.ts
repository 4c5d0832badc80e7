import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { deliveryDefaults } from '../../src/delivery/delivery.ts';
import { nextDelayMs } from '../../src/delivery/retry-policy.ts';

const policy = deliveryDefaults.retry;
const hour = 3_600_000;

test('delays double up to an hour, half of each is chance, and none comes at once', () => {
  const delays = (random: number) =>
    Array.from(
      { length: 14 },
      (_, n) => nextDelayMs({ attempts: n + 1, ageMs: 0 }, policy, () => random) ?? 0,
    );
  expect(delays(0).slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(delays(1).slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
  expect(delays(1).at(-1)).toBe(hour);
  expect(delays(0).at(-1)).toBe(hour / 2);
});

test('a job is tried for at least 24 hours, the last time when its time is over, and then given up', () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      (chances) => {
        const random = () => chances.next().value ?? 0;
        let ageMs = 0;
        let attempts = 1;
        for (
          let delay = nextDelayMs({ attempts, ageMs }, policy, random);
          delay !== undefined;
          attempts += 1
        ) {
          ageMs += delay;
          delay = nextDelayMs({ attempts: attempts + 1, ageMs }, policy, random);
        }
        expect(ageMs).toBe(policy.retryForMs);
        expect(ageMs).toBeGreaterThanOrEqual(24 * hour);
        expect(attempts).toBeGreaterThan(30);
        expect(attempts).toBeLessThan(80);
      },
    ),
    { numRuns: 50 },
  );
});

test('Retry-After puts an attempt off, also beyond the longest delay, and never hastens it', () => {
  const after = (retryAfterMs: number) =>
    nextDelayMs({ attempts: 1, ageMs: 0, retryAfterMs }, policy, () => 0);
  expect(after(10_000)).toBe(10_000);
  expect(after(0)).toBe(1_000);
});
