import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { createTokenBucket } from '../../src/intake/token-bucket.ts';

test('a bucket never gives more than its burst and what its rate adds, and a wait as it says is long enough', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 200 }),
      (ratePerSecond, burst, pauses) => {
        let nowMs = 5_000;
        const bucket = createTokenBucket({ ratePerSecond, burst, clock: () => nowMs });
        let given = 0;
        for (const pause of pauses) {
          nowMs += pause;
          const taken = bucket.take();
          if (taken.ok) given++;
          else {
            nowMs += Math.ceil(taken.waitSeconds * 1_000 + 1e-6);
            expect(bucket.take().ok).toBe(true);
            given++;
          }
        }
        const allowed = burst + ((nowMs - 5_000) / 1_000) * ratePerSecond;
        expect(given).toBeLessThanOrEqual(Math.floor(allowed + 1e-6));
      },
    ),
  );
});

test('a clock that steps back neither gives nor takes', () => {
  let nowMs = 10_000;
  const bucket = createTokenBucket({ ratePerSecond: 1, burst: 1, clock: () => nowMs });
  expect(bucket.take().ok).toBe(true);
  nowMs = 0;
  expect(bucket.take().ok).toBe(false);
  nowMs = 1_000;
  expect(bucket.take().ok).toBe(true);
});
