import { parseDecimal } from './decimal.ts';
import { isRawNumber, parseExactJson } from './exact-json.ts';

/** Of a number that a double cannot hold, digits written without an exponent. */
const maxPlainDigits = 40;

/**
 * JSON as jobs carry it: one text for one value, whether it comes from the device or out of PostgreSQL, which keeps neither
 * white space nor the order of keys nor exponents. No white space, keys in the order of their UTF-16 units, numbers to the
 * last digit. What was signed once under a `webhook-id` is thus what is signed the next time.
 *
 * @param text whose depth is bounded
 */
export function jobJson(text: string): string {
  return print(parseExactJson(text));
}

function print(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (isRawNumber(value)) return printDecimal(value.rawJSON);
  if (Array.isArray(value)) return `[${value.map(print).join(',')}]`;
  const fields = value as Readonly<Record<string, unknown>>;
  const members = Object.keys(fields)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${print(fields[key])}`);
  return `{${members.join(',')}}`;
}

/** By value: 1e30, 10e29 and a one with thirty zeros are the same. */
function printDecimal(text: string): string {
  const decimal = parseDecimal(text);
  if (decimal === undefined) return text;
  const { negative, digits, exponent } = decimal;
  const sign = negative ? '-' : '';
  const point = BigInt(digits.length) + exponent;
  if (exponent >= 0n && point <= maxPlainDigits) return `${sign}${digits}${'0'.repeat(Number(exponent))}`;
  if (exponent < 0n && -exponent <= maxPlainDigits && digits.length <= maxPlainDigits) {
    const padded = digits.padStart(1 - Number(exponent), '0');
    return `${sign}${padded.slice(0, Number(exponent))}.${padded.slice(Number(exponent))}`;
  }
  return `${sign}${digits}e${exponent}`;
}
