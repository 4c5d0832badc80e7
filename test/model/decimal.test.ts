import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { canonicalDecimal } from '../../src/model/decimal.ts';

test('spellings of one value are one text, other values are other texts', () => {
  for (const same of [
    ['1', '1.0', '1e0', '10e-1', '0.1E+1', '1.000e0'],
    ['0', '-0', '0.00', '0e999', '-0.0e-5'],
    ['1e400', '10e399', '0.1e401', `1${'0'.repeat(400)}`],
    ['-12345678901234567890', '-1234567890123456789e1', '-1.2345678901234567890e19'],
  ]) {
    expect(new Set(same.map(canonicalDecimal)).size).toBe(1);
  }
  const different = ['1', '-1', '10', '0.1', '12345678901234567890', '12345678901234567891', '0', '1e400'];
  expect(new Set(different.map(canonicalDecimal)).size).toBe(different.length);
});

test('moving the point and the exponent together changes nothing', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
      fc.integer({ min: -50, max: 50 }),
      (n, shift) => {
        const zeros = '0'.repeat(Math.abs(shift));
        const moved = shift >= 0 ? `${n}${shift === 0 ? '' : zeros}e${-shift}` : `${n}.${zeros}`;
        expect(canonicalDecimal(moved)).toBe(canonicalDecimal(String(n)));
      },
    ),
  );
});

test('two whole numbers have one text only when they are equal', () => {
  const whole = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
  fc.assert(
    fc.property(whole, whole, (a, b) => {
      expect(canonicalDecimal(String(a)) === canonicalDecimal(String(b))).toBe(a === b);
    }),
  );
});

test('long runs of zeros cost linear time, absurd exponents are not computed with', () => {
  const million = '0'.repeat(1_000_000);
  expect(canonicalDecimal(`0.${million}1`)).toBe('1e-1000001');
  const absurd = `10e${'9'.repeat(1_000_000)}`;
  expect(canonicalDecimal(absurd) === absurd).toBe(true);
});
