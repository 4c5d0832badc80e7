import { expect, test } from 'bun:test';
import { createWaker } from '../../src/lib/waker.ts';

const never = 3_600_000;

test('a wake-up ends the wait', async () => {
  const waker = createWaker();
  const waiting = waker.wait(never);
  waker.wake();
  await waiting;
});

test('a wait without a wake-up ends by itself', async () => {
  await createWaker().wait(1);
});

test('wake-ups while nobody waits end one wait, and no more than one', async () => {
  const waker = createWaker();
  waker.wake();
  waker.wake();
  await waker.wait(never);
  const second = waker.wait(never).then(() => 'woken');
  expect(await Promise.race([second, Promise.resolve('waiting')])).toBe('waiting');
  waker.wake();
  expect(await second).toBe('woken');
});
