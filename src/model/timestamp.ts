import { parseDecimal } from './decimal.ts';
import { isRawNumber } from './exact-json.ts';

/** `timeUs` is µs since the epoch, truncated towards the past; exact up to the year 2255. `why` completes "ts …". */
export type ParsedTimestamp =
  | { readonly ok: true; readonly timeUs: number }
  | { readonly ok: false; readonly why: string };

/**
 * Reads a message's `ts`:
 * - absent or null: the arrival time;
 * - a number, or a string that is one: seconds, milliseconds, microseconds or nanoseconds since the epoch, told
 *   apart by magnitude (below 1e11, 1e14, 1e17, 1e20: each unit then covers 1973 to at least 5138), with or without
 *   a fraction;
 * - ISO 8601 calendar date and time, extended or basic, `T` or one space between, seconds and fraction optional,
 *   `Z`, an offset, or nothing (UTC). `24:00` ends a day; `:60` is taken at 23:59:60 UTC and is the next second.
 *
 * Not taken: a date without a time (a reading has a moment, and guessing midnight would invent one), week and
 * ordinal dates, impossible days, exponents in strings.
 */
export function parseTimestamp(value: unknown, arrivedAtMs: number): ParsedTimestamp {
  if (value === undefined || value === null) return { ok: true, timeUs: arrivedAtMs * 1000 };
  if (typeof value === 'number') return parseEpochNumber(value);
  if (isRawNumber(value)) return parseEpochDecimal(value.rawJSON);
  if (typeof value !== 'string') return { ok: false, why: 'is neither a number nor a string' };
  return epochPattern.test(value) ? parseEpochText(value) : parseIso(value);
}

export interface TimeWindow {
  /** How far ahead of arrival a time may lie. */
  readonly maxAheadMs: number;
  /** How far behind arrival a time may lie. */
  readonly retentionMs: number;
}

/** Whether a time lies too far ahead of its arrival, or so far behind that retention would drop it. */
export function isOutOfRange(timeMs: number, arrivedAtMs: number, window: TimeWindow): boolean {
  return timeMs > arrivedAtMs + window.maxAheadMs || timeMs < arrivedAtMs - window.retentionMs;
}

const epochPattern = /^[+-]?\d+(?:\.\d+)?$/;
const absurdMagnitude = { ok: false, why: 'is no epoch time in seconds, ms, µs or ns' } as const;

/** How many decimal places of an epoch number are whole microseconds: seconds have six. */
function placesOf(magnitude: number): number | undefined {
  if (magnitude < 1e11) return 6;
  if (magnitude < 1e14) return 3;
  if (magnitude < 1e17) return 0;
  return magnitude < 1e20 ? -3 : undefined;
}

function parseEpochNumber(value: number): ParsedTimestamp {
  const places = placesOf(Math.abs(value));
  if (places === undefined) return absurdMagnitude;
  // Whole numbers stay exact in a double as long as the result is below 2^53; the rest goes by its decimal text.
  if (Number.isInteger(value) && places >= 0) return { ok: true, timeUs: value * 10 ** places + 0 };
  return parseEpochDecimal(String(value));
}

/** For numbers as JSON writes them, which may have an exponent. */
function parseEpochDecimal(text: string): ParsedTimestamp {
  const plain = plainDecimal(text);
  return plain === undefined ? absurdMagnitude : parseEpochText(plain);
}

function parseEpochText(text: string): ParsedTimestamp {
  const [whole = '', fraction = ''] = text.split('.');
  const places = placesOf(Math.abs(Number(whole)));
  if (places === undefined) return absurdMagnitude;
  if (places < 0) return { ok: true, timeUs: floorThousandth(BigInt(whole), fraction !== '') };
  const negative = whole.startsWith('-');
  const kept = fraction.slice(0, places).padEnd(places, '0');
  const truncated = Number(whole + kept);
  // Truncating a time before the epoch would move it forward.
  const lost = negative && /[1-9]/.test(fraction.slice(places));
  return { ok: true, timeUs: (lost ? truncated - 1 : truncated) || 0 };
}

function floorThousandth(ns: bigint, hasFraction: boolean): number {
  const us = ns / 1000n;
  return Number(ns < 0n && (ns % 1000n !== 0n || hasFraction) ? us - 1n : us);
}

/** A number's text without exponent, for exponents that a time could have. */
function plainDecimal(text: string): string | undefined {
  const decimal = parseDecimal(text);
  if (decimal === undefined || decimal.exponent > 25n || decimal.exponent < -400n) return undefined;
  const exponent = Number(decimal.exponent);
  const sign = decimal.negative ? '-' : '';
  if (exponent >= 0) return `${sign}${decimal.digits || '0'}${'0'.repeat(exponent)}`;
  const padded = decimal.digits.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

const isoPattern =
  /^(\d{4})(?:-(\d\d)-(\d\d)|(\d\d)(\d\d))[Tt ](\d\d)(?::(\d\d)(?::(\d\d))?|(\d\d)(\d\d)?)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?$/;

function parseIso(text: string): ParsedTimestamp {
  const parts = isoPattern.exec(text);
  if (parts === null) return { ok: false, why: 'is not an ISO 8601 date and time, nor an epoch number' };
  const number = (index: number, other = index) => Number(parts[index] ?? parts[other] ?? 0);
  const days = daysSinceEpoch(number(1), number(2, 4), number(3, 5));
  if (days === undefined) return { ok: false, why: 'names a day that does not exist' };
  const [hour, minute, second] = [number(6), number(7, 9), number(8, 10)];
  const fraction = parts[11] ?? '';
  if (fraction !== '' && (parts[8] ?? parts[10]) === undefined) {
    return { ok: false, why: 'has a fraction without seconds' };
  }
  const offsetSeconds = (parts[12] === '-' ? -1 : 1) * (number(13) * 3600 + number(14) * 60);
  if (number(13) > 23 || number(14) > 59) return { ok: false, why: 'has an offset that does not exist' };
  const timeSeconds = days * 86_400 + hour * 3600 + minute * 60 + second - offsetSeconds;
  const isDayEnd = hour === 24 && minute === 0 && second === 0 && !/[1-9]/.test(fraction);
  const isLeapSecond = second === 60 && hour < 24 && minute < 60 && timeSeconds % 86_400 === 0;
  if (!isDayEnd && !isLeapSecond && (hour > 23 || minute > 59 || second > 59)) {
    return { ok: false, why: 'names a time of day that does not exist' };
  }
  return { ok: true, timeUs: timeSeconds * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0')) };
}

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days since 1970-01-01 in the Gregorian calendar; `undefined` for a day that does not exist. */
function daysSinceEpoch(year: number, month: number, day: number): number | undefined {
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const last = month === 2 && isLeapYear ? 29 : daysOfMonth[month - 1];
  if (last === undefined || day < 1 || day > last) return undefined;
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; 400 years are a whole number of days.
  return Date.UTC(year + 400, month - 1, day) / 86_400_000 - 146_097;
}
