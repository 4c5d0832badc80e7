import { expect, test } from 'bun:test';
import { createLoadWatch, loadWatchDefaults } from '../../../src/worker/routing/load-watch.ts';

const { busyForMs, messagesPerJob } = loadWatchDefaults;

function watchAt(fullBatch = 1_000) {
  let now = 0;
  const watch = createLoadWatch(fullBatch, () => now);
  return { ...watch, pass: (ms: number) => (now += ms), turns: () => turnsOf(watch) };
}

function turnsOf({ mayPublish }: { mayPublish(): boolean }): number {
  let turns = 0;
  while (turns < 10_000 && mayPublish()) turns += 1;
  return turns;
}

test('while full batches are settled, jobs get their share by the messages', () => {
  const watch = watchAt();
  expect(watch.turns()).toBe(10_000);
  watch.settled(1_000);
  expect([watch.isBusy(), watch.turns()]).toEqual([true, 1_000 / messagesPerJob]);
  watch.settled(1_000);
  watch.settled(1_000);
  expect(watch.turns()).toBe(2_000 / messagesPerJob);
});

test('a smaller batch, or a pause, says that nothing waits', () => {
  const watch = watchAt();
  watch.settled(1_000);
  watch.settled(999);
  expect([watch.isBusy(), watch.turns()]).toEqual([false, 10_000]);
  watch.settled(1_000);
  watch.pass(busyForMs - 1);
  expect(watch.isBusy()).toBe(true);
  watch.pass(1);
  expect([watch.isBusy(), watch.turns()]).toEqual([false, 10_000]);
});

test('turns that are not taken do not pile up', () => {
  const watch = watchAt();
  for (let batch = 0; batch < 1_000; batch += 1) watch.settled(1_000);
  expect(watch.turns()).toBe(1_000);
});
