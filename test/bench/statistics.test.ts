import { expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { Histogram } from '../../bench/measure/histogram.ts';
import { ratiosOf, spreadOf } from '../../bench/measure/statistics.ts';

test('the median of an even number of rounds lies between the middle two', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, values: [4, 1, 3, 2] });
  expect(spreadOf([9, 1, 5]).median).toBe(5);
  expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7, values: [7] });
});

test('no rounds, or one that failed, is an error and not a number', () => {
  expect(() => spreadOf([])).toThrow(/at least one value/);
  expect(() => spreadOf([1, Number.NaN])).toThrow(/NaN/);
});

test('ratios are taken round by round, not of the medians', () => {
  // The second round met a machine half as fast: the ratio stays.
  expect(ratiosOf([100, 50], [200, 100])).toEqual({ median: 0.5, min: 0.5, max: 0.5, values: [0.5, 0.5] });
  expect(ratiosOf([100, 300, 90], [200, 200, 100]).values).toEqual([0.5, 1.5, 0.9]);
});

test('a rival that gave nothing, or fewer rounds, cannot be divided by', () => {
  expect(() => ratiosOf([1, 2], [1])).toThrow(/2 rounds of ours/);
  expect(() => ratiosOf([1, 2], [1, 0])).toThrow(/round 2/);
});

test('a percentile is within 1 % above the exact one, for any durations', () => {
  const durations = fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), {
    minLength: 1,
    maxLength: 300,
  });
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.9, 0.99, 0.999, 1), (values, share) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
      const shown = histogram.percentileMs(share);
      expect(shown).toBeGreaterThanOrEqual(exact * 0.999_999);
      expect(shown).toBeLessThanOrEqual(exact * 1.010_001);
    }),
  );
});

test('an empty histogram says 0, and a cleared one forgets', () => {
  const histogram = new Histogram();
  expect(histogram.summary()).toEqual({ count: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 });
  histogram.record(5);
  histogram.clear();
  expect(histogram.count).toBe(0);
  expect(histogram.percentileMs(0.99)).toBe(0);
});
