import { expect, test } from 'bun:test';
import { maxRetryAfterMs, parseRetryAfter } from '../../src/delivery/retry-after.ts';

const now = Date.parse('2026-11-24T16:00:00Z');

test('Retry-After is read as seconds or as an HTTP date, in each of its three forms', () => {
  expect(parseRetryAfter('120', now)).toBe(120_000);
  expect(parseRetryAfter(' 0 ', now)).toBe(0);
  expect(parseRetryAfter('Tue, 24 Nov 2026 16:02:00 GMT', now)).toBe(120_000);
  expect(parseRetryAfter('Tuesday, 24-Nov-26 16:02:00 GMT', now)).toBe(120_000);
});

test('it puts off for an hour at most, and a date in the past puts nothing off', () => {
  expect(parseRetryAfter('999999999', now)).toBe(maxRetryAfterMs);
  expect(parseRetryAfter('Fri, 01 Jan 2100 00:00:00 GMT', now)).toBe(maxRetryAfterMs);
  expect(parseRetryAfter('Mon, 23 Nov 2026 16:02:00 GMT', now)).toBe(0);
});

test('what is neither is passed over', () => {
  for (const text of [undefined, '', '-1', '1.5', 'soon', '2026-11-24', '1e3', 'Monday', '9'.repeat(20)]) {
    expect(parseRetryAfter(text, now)).toBeUndefined();
  }
});
