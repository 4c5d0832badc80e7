import { skipString } from '../../model/json-spans.ts';

/** PostgreSQL's numeric: at most this many digits before and after the decimal point. */
const maxWholeDigits = 131_072;
const maxFractionDigits = 16_383;
/**
 * jsonb keeps `1e131071` in a few bytes and shows it as 131,072 digits: a message of 256 KiB could hold gigabytes for
 * whoever reads its row. This many characters a message's numbers may grow by, all together; one of any size always may.
 */
const maxGrowth = 131_072;

/** A number that grows by more than a few characters; strings may match too, which costs time only. */
const growing = /\d[eE][+-]?\d\d/;
/** No number with fewer digits is too long by its digits alone. */
const suspectDigits = 15_000;
const numberAt = /-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?/y;

/** Whether `firstUnstorableNumber` needs to be asked at all. */
export function mayHoldLongNumber(text: string): boolean {
  return growing.test(text) || holdsDigitRun(text, suspectDigits);
}

/** Whether so many digits and dots follow one another. Looks at each character twice at most, whatever the text. */
function holdsDigitRun(text: string, length: number): boolean {
  // A run of that length holds one of these places.
  for (let at = length - 1; at < text.length; at += length) {
    let start = at;
    while (start >= 0 && isDigitOrDot(text.charCodeAt(start))) start--;
    let end = at;
    while (end < text.length && isDigitOrDot(text.charCodeAt(end))) end++;
    if (end - start - 1 >= length) return true;
  }
  return false;
}

function isDigitOrDot(code: number): boolean {
  return isDigit(code) || code === 0x2e;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The first number of a JSON text that PostgreSQL's numeric (so jsonb) cannot hold, or that makes all of them grow too much. */
export function firstUnstorableNumber(text: string): string | undefined {
  let growth = 0;
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === 0x22) {
      index = skipString(text, index);
      continue;
    }
    numberAt.lastIndex = index;
    const number = isDigit(code) || code === 0x2d ? numberAt.exec(text) : null;
    if (number === null) {
      index++;
      continue;
    }
    const [literal, whole = '', fraction = '', exponent = '0'] = number;
    const written = writtenLength(whole.length, fraction.length, Number(exponent));
    if (written === undefined) return literal;
    growth += Math.max(0, written - literal.length);
    if (growth > maxGrowth) return literal;
    index = numberAt.lastIndex;
  }
  return undefined;
}

/** How many digits it has without an exponent; undefined where numeric has no room for them. */
function writtenLength(whole: number, fraction: number, exponent: number): number | undefined {
  const before = whole + exponent;
  const behind = fraction - exponent;
  if (before > maxWholeDigits || behind > maxFractionDigits) return undefined;
  return Math.max(1, before) + Math.max(0, behind);
}
