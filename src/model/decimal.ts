/** A decimal number as JSON writes it, exactly: `digits` × 10^`exponent`, no zeros at either end. */
export interface Decimal {
  readonly negative: boolean;
  /** Significant digits; empty for zero. */
  readonly digits: string;
  readonly exponent: bigint;
}

const decimalPattern = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Beyond this many characters an exponent is absurd, and BigInt's quadratic parse a way to burn CPU. */
const maxExponentLength = 40;

/** Reads a decimal number exactly; `undefined` for any other text, and for exponents of over 40 characters. */
export function parseDecimal(text: string): Decimal | undefined {
  const parts = decimalPattern.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts;
  if (exponent.length > maxExponentLength) return undefined;
  const padded = (whole + fraction).replace(/^0+/, '');
  const digits = withoutTrailingZeros(padded);
  if (digits === '') return { negative: false, digits, exponent: 0n };
  const shift = padded.length - digits.length - fraction.length;
  return { negative: sign === '-', digits, exponent: BigInt(exponent) + BigInt(shift) };
}

/** The same text for every spelling of a value (`1`, `1.0`, `10e-1`: `1e0`), a different one for every other value. */
export function canonicalDecimal(text: string): string {
  const decimal = parseDecimal(text);
  // Not comparable by value: the spelling itself then stands for it, which can only tell too much apart.
  if (decimal === undefined) return text;
  if (decimal.digits === '') return '0';
  return `${decimal.negative ? '-' : ''}${decimal.digits}e${decimal.exponent}`;
}

/** A loop, since `/0+$/` is quadratic on a long run of zeros that a nonzero digit ends. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.slice(0, end);
}
