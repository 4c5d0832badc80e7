import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { backoffMs } from '../../src/lib/backoff.ts';

test('the ceiling doubles per attempt up to the maximum', () => {
  const ceilings = [0, 1, 2, 3, 4, 2000].map((n) => backoffMs(n, { baseMs: 100, maxMs: 1000 }, () => 1));
  expect(ceilings).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(backoffMs(2, { baseMs: 100, maxMs: 9999, factor: 3 }, () => 1)).toBe(900);
});

test('the delay is spread over all of 0 to the ceiling', () => {
  const options = { baseMs: 100, maxMs: 10_000 };
  fc.assert(
    fc.property(fc.nat({ max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, roll) => {
      const delay = backoffMs(attempt, options, () => roll);
      expect(delay).toBe(Math.round(roll * backoffMs(attempt, options, () => 1)));
    }),
  );
});
