import { expect, test } from 'bun:test';
import { createSharedDeadline } from '../../src/lib/shared-deadline.ts';

const never = () => new Promise<number>(() => undefined);

test('what comes in time is passed on, what fails or is late is undefined', async () => {
  const deadline = createSharedDeadline(30, () => performance.now());
  const late = deadline.race(never());
  expect(await deadline.race(Promise.resolve(7))).toBe(7);
  expect(await deadline.race(Promise.reject(new Error('gone')))).toBeUndefined();
  expect(await late).toBeUndefined();
});

test('each is given its own time, by the clock, however many wait and whenever they came', async () => {
  let nowMs = 0;
  const deadline = createSharedDeadline(5, () => nowMs);
  const ended: string[] = [];
  const wait = (name: string) => deadline.race(never()).then(() => ended.push(name));
  const first = wait('first');
  nowMs = 3;
  const second = wait('second');
  nowMs = 5;
  await first;
  expect(ended).toEqual(['first']);
  nowMs = 8;
  await second;
  // And it goes on working after a time when nobody waited.
  const third = wait('third');
  nowMs = 13;
  await third;
  expect(ended).toEqual(['first', 'second', 'third']);
});
