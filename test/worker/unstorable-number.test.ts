import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { firstUnstorableNumber, mayHoldLongNumber } from '../../src/worker/judge/unstorable-number.ts';

// As a pattern, /[\d.]{15000}/, the same question took 870 ms for a text of 255 KB: 17 runs that are one digit too short.
test('a run of digits is found wherever it lies, and a shorter one never is', () => {
  const digits = (length: number) => '0123456789.'.repeat(Math.ceil(length / 11)).slice(0, length);
  const other = fc.integer({ min: 1, max: 40_000 }).map((length) => 'x,"'.repeat(length).slice(0, length));
  const short = fc.integer({ min: 1, max: 14_999 }).map(digits);
  const rest = fc.array(fc.tuple(other, short), { maxLength: 4 }).map((parts) => parts.flat().join(''));
  fc.assert(
    fc.property(rest, rest, fc.integer({ min: 14_990, max: 15_010 }), (before, after, length) => {
      expect(mayHoldLongNumber(`${before},${digits(length)},${after}`)).toBe(length >= 15_000);
    }),
    { numRuns: 200 },
  );
});

test('numbers may grow by so much together, once they are written without exponents', () => {
  const grown = (count: number) =>
    firstUnstorableNumber(`{"a":[${Array(count).fill('1e99').join()}],"b":-1}`);
  // 96 characters each.
  expect(grown(1_365)).toBeUndefined();
  expect(grown(1_366)).toBe('1e99');
  expect(firstUnstorableNumber(`["${'1e99,'.repeat(2_000)}"]`)).toBeUndefined();
  expect(firstUnstorableNumber(`[${'1'.repeat(100_000)},${'1'.repeat(100_000)}]`)).toBeUndefined();
});
