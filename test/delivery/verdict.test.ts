import { expect, test } from 'bun:test';
import type { Parcel } from '../../src/delivery/parcel.ts';
import type { BookedRoute } from '../../src/delivery/route-book.ts';
import { type RetryTerms, verdictOf, waitUntried } from '../../src/delivery/verdict.ts';

const firstAtMs = 1_000_000;
const parcel = { attempts: 2, firstAtMs } as Parcel;
const route = { version: 7 } as BookedRoute;
const retry = { baseMs: 1_000, maxMs: 60_000, retryForMs: 3_600_000 };
const after = (ageMs: number): RetryTerms => ({ nowMs: firstAtMs + ageMs, retry, random: () => 1 });

test('what was delivered is delivered, and counts no attempt', () => {
  expect(verdictOf(parcel, route, { kind: 'delivered' }, after(0))).toEqual({ kind: 'delivered' });
});

test('a destination that is gone makes a dead letter, and disables the route as it was then', () => {
  expect(verdictOf(parcel, route, { kind: 'gone', detail: '410' }, after(0))).toEqual({
    kind: 'dead',
    reason: 'REFUSED',
    detail: '410',
    attempts: 3,
    disable: { version: 7 },
  });
});

test('a failure waits for its next attempt, no shorter than the destination asks', () => {
  const failed = { kind: 'retry', error: '503', unwell: true } as const;
  const waits = { kind: 'wait', attempts: 3, error: '503' } as const;
  expect(verdictOf(parcel, route, failed, after(10_000))).toEqual({ ...waits, dueInMs: 4_000 });
  expect(verdictOf(parcel, route, { ...failed, retryAfterMs: 30_000 }, after(10_000))).toEqual({
    ...waits,
    dueInMs: 30_000,
  });
});

test('after its time a failure is a dead letter that tells the last error', () => {
  expect(
    verdictOf(parcel, route, { kind: 'retry', error: '503', unwell: true }, after(retry.retryForMs)),
  ).toEqual({
    kind: 'dead',
    reason: 'GAVE_UP',
    detail: '503',
    attempts: 3,
  });
});

test('what was not tried waits for nothing, and keeps its count', () => {
  expect(waitUntried(parcel)).toEqual({ kind: 'wait', dueInMs: 0, attempts: 2, error: undefined });
});
