import { expect, test } from 'bun:test';
import { createHistogram, quantile } from '../../src/lib/histogram.ts';

test('values are counted in the range whose upper end they do not pass', () => {
  const histogram = createHistogram([10, 20]);
  for (const value of [0, 10, 10.5, 20, 21, 1e9]) histogram.add(value);
  expect(histogram.counts()).toEqual({ bounds: [10, 20], counts: [2, 2, 2] });
});

test('a quantile lies where its share of the values is reached', () => {
  expect(quantile({ bounds: [10, 20], counts: [0, 0, 0] }, 0.5)).toBeUndefined();
  expect(quantile({ bounds: [10, 20], counts: [10, 10, 0] }, 0.5)).toBe(10);
  expect(quantile({ bounds: [10, 20], counts: [10, 10, 0] }, 0.75)).toBe(15);
  expect(quantile({ bounds: [10, 20], counts: [0, 4, 0] }, 0.25)).toBe(12.5);
  expect(quantile({ bounds: [10, 20], counts: [1, 0, 1] }, 0.99)).toBe(Number.POSITIVE_INFINITY);
});
