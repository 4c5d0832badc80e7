import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseExactJson } from '../../src/model/exact-json.ts';
import { isOutOfRange, parseTimestamp } from '../../src/model/timestamp.ts';

const arrivedAtMs = Date.UTC(2026, 0, 1, 0, 0, 30);
const newYear = Date.UTC(2026, 0, 1) * 1000;

/** µs, or what is wrong. */
const read = (value: unknown) => {
  const parsed = parseTimestamp(value, arrivedAtMs);
  return parsed.ok ? parsed.timeUs : parsed.why;
};

test('without a ts the arrival time counts', () => {
  expect(read(undefined)).toBe(arrivedAtMs * 1000);
  expect(read(null)).toBe(arrivedAtMs * 1000);
});

describe('epoch times', () => {
  test('the unit goes by magnitude, as numbers and as strings', () => {
    const seconds = 1_767_225_600;
    for (const value of [seconds, seconds * 1e3, seconds * 1e6, seconds * 1e9]) {
      expect(read(value)).toBe(newYear);
      expect(read(String(value))).toBe(newYear);
      expect(read(`+${value}`)).toBe(newYear);
    }
  });

  test('the borders between the units', () => {
    expect(read(99_999_999_999)).toBe(99_999_999_999e6);
    expect(read(100_000_000_000)).toBe(100_000_000_000e3);
    expect(read(99_999_999_999_999)).toBe(99_999_999_999_999e3);
    expect(read(100_000_000_000_000)).toBe(100_000_000_000_000);
    expect(read(100_000_000_000_000_000)).toBe(100_000_000_000_000);
  });

  test('fractions keep their microseconds and lose the rest', () => {
    expect(read(1_767_225_600.1)).toBe(newYear + 100_000);
    expect(read(1_767_225_600.123456)).toBe(newYear + 123_456);
    expect(read('1767225600.1234569')).toBe(newYear + 123_456);
    expect(read('1767225600000.0019')).toBe(newYear + 1);
    expect(read('1767225600000001.9')).toBe(newYear + 1);
    expect(read('1767225600000001999')).toBe(newYear + 1);
    expect(read('1767225600000001999.5')).toBe(newYear + 1);
  });

  test('raw numbers are read exactly', () => {
    expect(read(parseExactJson('1767225600000001999'))).toBe(newYear + 1);
    expect(read(parseExactJson('1767225600.12345678901234'))).toBe(newYear + 123_456);
    expect(read(parseExactJson('1.767225600123456789e18'))).toBe(newYear + 123_456);
  });

  test('times before the epoch go towards the past too', () => {
    expect(read(-1)).toBe(-1_000_000);
    expect(read('-0.0000001')).toBe(-1);
    expect(read('-0.5')).toBe(-500_000);
    expect(read('-100000000000000001')).toBe(-100_000_000_000_001);
    expect(read(0)).toBe(0);
    expect(read(-0)).toBe(0);
    expect(read('-0')).toBe(0);
  });

  test('absurd magnitudes are no times', () => {
    const raw = ['1e400', '-1e400', '1767225600.1e-500', '5e-1000', '100000000000000000001'].map(
      parseExactJson,
    );
    for (const value of [1e20, 1e300, '9'.repeat(30), '9'.repeat(100_000), ...raw]) {
      expect(read(value)).toBe('is no epoch time in seconds, ms, µs or ns');
    }
  });

  test('a moment in any unit is the same moment', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 200_000_000_000_000n, max: 4_000_000_000_000_000n }), (us) => {
        const text = String(us);
        const split = (places: number) => `${text.slice(0, -places)}.${text.slice(-places)}`;
        for (const value of [split(6), split(3), text, `${text}000`, `${text}999`])
          expect(read(value)).toBe(Number(us));
        expect(read(parseExactJson(split(6)))).toBe(Number(us));
        expect(read(parseExactJson(`${text}123`))).toBe(Number(us));
      }),
    );
  });
});

describe('ISO 8601', () => {
  test('with and without zone, extended and basic, short and with a fraction', () => {
    for (const text of [
      '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00',
      '2026-01-01 00:00:00',
      '2026-01-01t00:00z',
      '2026-01-01T00:00',
      '20260101T000000Z',
      '20260101T0000',
      '2026-01-01T00:00:00.000000',
      '2026-01-01T00:00:00,0Z',
      '2026-01-01T01:00:00+01:00',
      '2026-01-01T05:30:00+0530',
      '2025-12-31T19:00:00-05',
      '2025-12-31T24:00:00Z',
      '2025-12-31T23:59:60Z',
      '2026-01-01T00:59:60+01:00',
    ]) {
      expect(`${text} ${read(text)}`).toBe(`${text} ${newYear}`);
    }
    expect(read('2026-01-01T00:00:00.1234569Z')).toBe(newYear + 123_456);
    expect(read('2025-12-31T23:59:60.5Z')).toBe(newYear + 500_000);
  });

  test('days and times that do not exist are refused', () => {
    const day = 'names a day that does not exist';
    for (const date of [
      '2026-02-29',
      '2026-02-30',
      '2026-04-31',
      '2026-13-01',
      '2026-00-01',
      '2026-01-00',
      '1900-02-29',
    ]) {
      expect(read(`${date}T00:00:00Z`)).toBe(day);
    }
    const time = 'names a time of day that does not exist';
    for (const clock of [
      '25:00:00',
      '24:00:01',
      '24:00:00.1',
      '24:01',
      '00:60:00',
      '12:00:60',
      '00:00:61',
      '23:60:60',
    ]) {
      expect(`${clock} ${read(`2026-01-01T${clock}Z`)}`).toBe(`${clock} ${time}`);
    }
    expect(read('2026-01-01T00:00:00+24:00')).toBe('has an offset that does not exist');
    expect(read('2026-01-01T00:00:00+00:60')).toBe('has an offset that does not exist');
    expect(read('2026-01-01T00:00.5')).toBe('has a fraction without seconds');
    expect(read('2024-02-29T00:00:00Z')).toBe(Date.UTC(2024, 1, 29) * 1000);
    expect(read('2000-02-29T00:00:00Z')).toBe(Date.UTC(2000, 1, 29) * 1000);
  });

  test('other forms and types are refused', () => {
    for (const text of [
      '2026-01-01',
      '2026-W01-1T00:00',
      '2026-001T00:00',
      '',
      ' ',
      'now',
      'NaN',
      '1e9',
      '0x1',
      '12:00',
    ]) {
      expect(read(text)).toBe('is not an ISO 8601 date and time, nor an epoch number');
    }
    for (const text of [
      '2026-01-01T00:00:00Z ',
      '2026-01-01T00:00:00 UTC',
      '2026-01-01T00Z',
      '26-01-01T00:00',
      '１',
    ]) {
      expect(read(text)).toBe('is not an ISO 8601 date and time, nor an epoch number');
    }
    for (const value of [true, {}, [], [1]]) expect(read(value)).toBe('is neither a number nor a string');
  });

  test('any date prints and reads back, at any offset', () => {
    const date = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, fc.integer({ min: -1439, max: 1439 }), (date, offsetMinutes) => {
        expect(read(date.toISOString())).toBe(date.getTime() * 1000);
        const local = new Date(date.getTime() + offsetMinutes * 60_000);
        fc.pre(local.getUTCFullYear() >= 0 && local.getUTCFullYear() <= 9999);
        const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
        const minutes = Math.abs(offsetMinutes);
        const zone = `${offsetMinutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
        expect(read(local.toISOString().replace('Z', zone))).toBe(date.getTime() * 1000);
      }),
    );
  });

  test('never throws, whatever the string', () => {
    const unit = fc.constantFrom('0', '1', '9', '-', ':', 'T', 'Z', '+', '.', ' ');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), (text) => void read(text)),
      { numRuns: 2000 },
    );
  });
});

test('the window around arrival', () => {
  const window = { maxAheadMs: 1000, retentionMs: 5000 };
  expect([4999, 5000, 11_000, 11_001].map((timeMs) => isOutOfRange(timeMs, 10_000, window))).toEqual([
    true,
    false,
    false,
    true,
  ]);
});
