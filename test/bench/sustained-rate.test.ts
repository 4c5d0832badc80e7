import { expect, test } from 'bun:test';
import { measureDrain } from '../../bench/measure/drain-rate.ts';
import { findSustainedRate, isFlat } from '../../bench/measure/sustained-rate.ts';

/** A system that holds up to so many messages a second. */
function systemThatHolds(most: number) {
  const asked: number[] = [];
  const attempt = async (rate: number) => {
    asked.push(rate);
    return { held: rate <= most, why: 'the backlog grew' };
  };
  return { asked, attempt };
}

test('bisection finds the highest rate that holds, to the fineness of its steps', async () => {
  for (const most of [3_000, 5_000, 9_900]) {
    const found = await findSustainedRate({ upper: 10_000, steps: 10, ...systemThatHolds(most) });
    expect(found).toBeLessThanOrEqual(most + 1);
    expect(found).toBeGreaterThan(most * 0.99);
  }
});

test('a system far slower than its door answers is still found', async () => {
  const found = await findSustainedRate({ upper: 10_000, steps: 8, ...systemThatHolds(200) });
  expect(found).toBeGreaterThan(150);
  expect(found).toBeLessThanOrEqual(201);
});

test('a system that holds nothing is an error, not a rate', async () => {
  const finding = findSustainedRate({ upper: 10_000, steps: 8, ...systemThatHolds(0) });
  await expect(finding).rejects.toThrow(/no rate down to \d+ messages a second held: the backlog grew/);
});

test('a backlog is flat when it swings with the batches, and not when it grows', () => {
  const measureMs = 60_000;
  const swinging = Array.from({ length: 600 }, (_, n) => 1_500 + 1_000 * Math.sin(n / 3));
  const growing = Array.from({ length: 600 }, (_, n) => n * 20);
  const high = Array.from({ length: 600 }, () => 50_000);
  expect(isFlat({ backlog: swinging, messagesPerSecond: 5_000, measureMs })).toBe(true);
  expect(isFlat({ backlog: growing, messagesPerSecond: 5_000, measureMs })).toBe(false);
  expect(isFlat({ backlog: high, messagesPerSecond: 5_000, measureMs })).toBe(false);
  expect(isFlat({ backlog: [], messagesPerSecond: 5_000, measureMs })).toBe(false);
});

test('a drain counts from its first commit to its last, and a faultless zero is no rate', async () => {
  const commits = [0, 0, 1_000, 1_000, 3_000];
  const { points } = await measureDrain({ settled: async () => commits.shift() ?? 5_000 }, 5_000);
  expect(points.map(([, messages]) => messages)).toEqual([1_000, 3_000, 5_000]);
  const atOnce = measureDrain({ settled: async () => 5_000 }, 5_000);
  await expect(atOnce).rejects.toThrow(/too fast to measure/);
});
