import { canonicalDecimal } from './decimal.ts';
import { depthExceeds } from './json-spans.ts';

/** A number that a double cannot hold, kept as its source text (the JSON.rawJSON proposal). */
export interface RawNumber {
  readonly rawJSON: string;
}

// TypeScript's own library does not have the proposal yet.
declare global {
  interface JSON {
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
  }
}

/**
 * Only numbers of 16 or more digits or with a three-digit exponent can lose value in a double: 15 digits always
 * survive. Strings may match too (dotted or long digit runs); that costs time, never correctness.
 */
export const mayLoseValue = /[\d.]{16}|\d[eE][+-]?\d{3}/;

/** The engine's reviver recurses; what nests deeper than this is refused before it meets the stack. */
const maxRevivedDepth = 1000;

/**
 * JSON.parse, but a number that would change its value (1e400, 12345678901234567890, 0.1234567890123456789)
 * stays as a raw number, which JSON.stringify prints as it was sent. Throws SyntaxError for text that is not
 * JSON, and RangeError for text that holds such numbers and nests deeper than 1000.
 */
export function parseExactJson(text: string): unknown {
  if (!mayLoseValue.test(text)) return JSON.parse(text);
  if (depthExceeds(text, maxRevivedDepth)) {
    throw new RangeError(`JSON nests deeper than ${maxRevivedDepth}: flatten the message`);
  }
  return JSON.parse(text, keepExactly);
}

function keepExactly(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value;
  return survives(value, context.source) ? value : JSON.rawJSON(context.source);
}

/** Whether printing the parsed number gives the value its source text had. */
export function survives(value: number, source: string): boolean {
  const printed = String(value);
  return printed === source || canonicalDecimal(printed) === canonicalDecimal(source);
}

export function isRawNumber(value: unknown): value is RawNumber {
  return JSON.isRawJSON(value);
}
