import { expect, test } from 'bun:test';
import { waitSecondsOf } from '../../../src/sources/http/prefer.ts';

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['wait=5', 5],
  ['WAIT = "7"', 7],
  ['wait=31', 30],
  ['respond-async, wait=3; x=y', 3],
  ['wait=0', undefined],
  ['wait', undefined],
  ['wait=-1', undefined],
  ['wait=1.5', undefined],
  ['return=minimal', undefined],
])('Prefer: %p waits %p s', (value, seconds) => {
  expect(waitSecondsOf(new Headers(value === undefined ? {} : { Prefer: value }))).toBe(seconds as never);
});
