import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { createBuffer, fold, toPlot, trim } from '../../web/lib/series-buffer.ts';

const second = 1_000;

test('readings folded in live make the buckets that the API would have made', () => {
  const reading = fc.record({
    at: fc.integer({ min: 0, max: 60_000 }),
    value: fc.integer({ min: -50, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 80 }), (readings) => {
      const buffer = createBuffer(5 * second, undefined);
      for (const { at, value } of readings) fold(buffer, at, value);
      const groups = Map.groupBy(readings, ({ at }) => Math.floor(at / 5_000) * 5_000);
      const wanted = [...groups].sort(([a], [b]) => a - b);
      expect(buffer.t).toEqual(wanted.map(([t]) => t));
      for (const [index, [, group]] of wanted.entries()) {
        const values = group.map(({ value }) => value);
        expect(buffer.min[index]).toBe(Math.min(...values));
        expect(buffer.max[index]).toBe(Math.max(...values));
        expect(buffer.count[index]).toBe(values.length);
        expect(buffer.avg[index]).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 9);
      }
    }),
  );
});

test('a late reading is folded into the bucket that is there', () => {
  const buffer = createBuffer(second, {
    t: [0, 2_000],
    min: [1, 5],
    avg: [2, 5],
    max: [3, 5],
    count: [2, 1],
  });
  fold(buffer, 400, 8);
  expect(buffer).toMatchObject({ t: [0, 2_000], min: [1, 5], max: [8, 5], count: [3, 1] });
  expect(buffer.avg[0]).toBe(4);
});

test('the line breaks where readings are missing, and not where a device reports seldom', () => {
  const seldom = createBuffer(second, undefined);
  for (let minute = 0; minute < 5; minute += 1) fold(seldom, minute * 60_000, 1);
  expect(toPlot(seldom)[3]).toEqual([1, 1, 1, 1, 1]);
  fold(seldom, 60 * 60_000, 2);
  expect(toPlot(seldom)[3]).toEqual([1, 1, 1, 1, 1, null, 2]);
});

test('what has slid out of the picture is forgotten', () => {
  const buffer = createBuffer(second, undefined);
  for (let at = 0; at < 10; at += 1) fold(buffer, at * second, at);
  trim(buffer, 5 * second);
  expect(buffer.t[0]).toBe(4_000);
  expect(buffer.avg.length).toBe(buffer.t.length);
});
