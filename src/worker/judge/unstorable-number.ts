import { mayLoseValue } from '../../model/exact-json.ts';
import { skipString } from '../../model/json-spans.ts';

/** PostgreSQL's numeric: at most this many digits before and after the decimal point. */
const maxWholeDigits = 131_072;
const maxFractionDigits = 16_383;

/** Only such texts can hold a number beyond numeric; strings may match too, which costs time only. */
const longNumber = /\d[eE][+-]?\d{4}|[\d.]{15000}/;
const numberAt = /-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?/y;

/** Whether `firstUnstorableNumber` needs to be asked at all. What is too long for numeric is so for a double, which is found sooner. */
export function mayHoldLongNumber(text: string): boolean {
  return mayLoseValue.test(text) && longNumber.test(text);
}

/** The first number of a JSON text that PostgreSQL's numeric (so jsonb) cannot hold. */
export function firstUnstorableNumber(text: string): string | undefined {
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === 0x22) {
      index = skipString(text, index);
      continue;
    }
    numberAt.lastIndex = index;
    const number = numberAt.exec(text);
    if (number === null) {
      index++;
      continue;
    }
    if (overflows(number[1] ?? '', number[2] ?? '', number[3] ?? '0')) return number[0];
    index = numberAt.lastIndex;
  }
  return undefined;
}

function overflows(whole: string, fraction: string, exponentText: string): boolean {
  const exponent = Number(exponentText);
  return whole.length + exponent > maxWholeDigits || fraction.length - exponent > maxFractionDigits;
}
