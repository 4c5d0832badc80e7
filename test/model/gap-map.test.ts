import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { createGapMap, type GapMap, type GapMapOptions, gapMapDefaults } from '../../src/model/gap-map.ts';

/** Messages a second apart that arrive as they are made. */
function mapOf(seqs: readonly number[], options: Partial<GapMapOptions> = {}): GapMap {
  const map = createGapMap(options);
  for (const [index, seq] of seqs.entries()) map.add({ seq, timeUs: index, arrivedUs: index });
  return map.finish();
}

const numbers = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const rangesOf = (map: GapMap) => map.ranges.map(({ first, last }) => [first, last]);

test('nothing is missing in what follows on, wherever it begins', () => {
  expect(mapOf([])).toEqual({
    received: 0,
    missing: 0,
    late: 0,
    repeated: 0,
    firstSeq: undefined,
    lastSeq: undefined,
    ranges: [],
    restarts: [],
    truncated: false,
  });
  expect(mapOf([7, 8, 9])).toMatchObject({ received: 3, missing: 0, firstSeq: 7, lastSeq: 9, ranges: [] });
});

test('a range that is missing has the times of the messages on both sides', () => {
  expect(mapOf([1, 2, 6, 8]).ranges).toEqual([
    { first: 3, last: 5, count: 3, afterUs: 1, beforeUs: 2 },
    { first: 7, last: 7, count: 1, afterUs: 2, beforeUs: 3 },
  ]);
});

test('a number that was missing comes late, and leaves what is still missing', () => {
  const map = mapOf([1, 10, 5, 2, 9, 11]);
  expect(map).toMatchObject({ late: 3, repeated: 0, missing: 5, restarts: [] });
  expect(rangesOf(map)).toEqual([
    [3, 4],
    [6, 8],
  ]);
});

test('with times of its own, a message is late when it arrived after one that was made later', () => {
  const map = createGapMap();
  const arrivals = [10, 50, 60, 20, 70];
  for (const [index, arrivedUs] of arrivals.entries()) map.add({ seq: index, timeUs: index, arrivedUs });
  expect(map.finish()).toMatchObject({ late: 2, missing: 0, repeated: 0 });
});

test('a number that comes again is repeated, however many do before the counter goes on', () => {
  expect(mapOf([5, 6, 6, 7])).toMatchObject({ repeated: 1, late: 0, missing: 0, restarts: [], lastSeq: 7 });
  expect(mapOf([5, 6, 7, 8, 5, 6, 7, 9])).toMatchObject({ repeated: 3, missing: 0, restarts: [] });
  expect(mapOf([...numbers(5, 90), ...numbers(20, 80), 92])).toMatchObject({ repeated: 61, missing: 1 });
  // One by one and backwards.
  expect(mapOf([5, 6, 7, 8, 8, 7, 6, 5, 9])).toMatchObject({ repeated: 4, missing: 0, restarts: [] });
});

test('what is sent again together with what was missing is repeated and late', () => {
  expect(mapOf([3, 4, 5, 9, 4, 5, 6, 7, 10])).toMatchObject({
    repeated: 2,
    late: 2,
    missing: 1,
    restarts: [],
  });
});

test('the counter begins again at 0 or 1, at once', () => {
  for (const begin of [0, 1]) {
    const map = mapOf([50, 51, begin, begin + 2]);
    expect(map).toMatchObject({ missing: 1, repeated: 0, lastSeq: begin + 2 });
    expect(map.restarts).toEqual([{ timeUs: 2, fromSeq: 51, toSeq: begin }]);
  }
});

test('or at another number, when enough messages go on from there or nothing else follows', () => {
  const enough = gapMapDefaults.restartSure;
  const map = mapOf([...numbers(500, 900), ...numbers(40, 39 + enough), 1_000]);
  expect(map.restarts).toMatchObject([{ fromSeq: 900, toSeq: 40 }]);
  expect(rangesOf(map)).toEqual([[40 + enough, 999]]);
  expect(mapOf([...numbers(500, 900), ...numbers(40, 38 + enough), 901])).toMatchObject({
    restarts: [],
    repeated: enough - 1,
  });
  expect(mapOf([70, 71, 40, 41, 42])).toMatchObject({ restarts: [{ fromSeq: 71 }], repeated: 0 });
  expect(mapOf([70, 71, 40, 41])).toMatchObject({ restarts: [], repeated: 2, lastSeq: 71 });
});

test('a stray high number does not hide what follows', () => {
  const map = mapOf([1, 2, 9_000_000, ...numbers(3, 300)]);
  expect(map.restarts).toMatchObject([{ fromSeq: 9_000_000, toSeq: 3 }]);
  expect(rangesOf(map)).toEqual([[3, 8_999_999]]);
  expect(map).toMatchObject({ late: 0, repeated: 0 });
});

test('what was missing before a restart stays missing', () => {
  const map = mapOf([10, 12, 0, 1, 11, 2]);
  expect(map).toMatchObject({ restarts: [{ fromSeq: 12, toSeq: 0 }], received: 6 });
  expect(rangesOf(map)[0]).toEqual([11, 11]);
});

test('only the latest ranges are listed, and all are counted', () => {
  const map = mapOf(
    numbers(0, 999).map((n) => n * 2),
    { maxListed: 10, maxOpen: 20 },
  );
  expect(map).toMatchObject({ missing: 999, truncated: true });
  expect(rangesOf(map)).toEqual(numbers(990, 999).map((n) => [2 * n - 1, 2 * n - 1]));
});

/** A counter that loses some numbers, repeats others and delivers some later, never beginning again. */
const deliveries = fc
  .array(fc.record({ fate: fc.constantFrom('sent', 'sent', 'lost', 'twice'), delay: fc.nat(8) }), {
    minLength: 1,
    maxLength: 300,
  })
  .map((fates) => {
    const sent = fates.flatMap(({ fate, delay }, seq) => {
      const one = { seq: seq + 2, at: seq + delay };
      return fate === 'lost' ? [] : fate === 'twice' ? [one, { seq: seq + 2, at: seq + 2 * delay }] : [one];
    });
    return sent.toSorted((a, b) => a.at - b.at).map(({ seq }) => seq);
  })
  .filter((seqs) => seqs.length > 0);

test('property: without a restart, what never came is missing and the other counts add up', () => {
  fc.assert(
    fc.property(deliveries, (seqs) => {
      // The lowest comes first, so that nothing lies below where it begins.
      const order = [1, ...seqs];
      // A trial at the very end counts as repeated, too: no restart is in here.
      const map = mapOf(order, {
        restartLikely: Number.POSITIVE_INFINITY,
        restartSure: Number.POSITIVE_INFINITY,
      });
      const seen = new Set(order);
      const missing = numbers(1, Math.max(...order)).filter((seq) => !seen.has(seq));
      expect(map.ranges.flatMap(({ first, last }) => numbers(first, last))).toEqual(missing);
      expect(map.missing).toBe(missing.length);
      expect(map.repeated).toBe(order.length - seen.size);
      let [highest, late] = [0, 0];
      const before = new Set<number>();
      for (const seq of order) {
        if (seq < highest && !before.has(seq)) late += 1;
        before.add(seq);
        highest = Math.max(highest, seq);
      }
      expect(map.late).toBe(late);
      expect(map.restarts).toEqual([]);
    }),
  );
});
