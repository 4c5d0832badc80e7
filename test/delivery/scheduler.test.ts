import { expect, test } from 'bun:test';
import type pg from 'pg';
import pino from 'pino';
import type { RouteBook } from '../../src/delivery/route-book.ts';
import { startScheduler } from '../../src/delivery/scheduler.ts';
import { until } from '../harness/until.ts';

/** A schedule where one route always has something due, and never room for it. */
function fullSchedule({ isResting }: { isResting: boolean }) {
  let looks = 0;
  const pool = { query: async () => ({ rows: [{ route_id: 1 }], looks: ++looks }) };
  const scheduler = startScheduler({
    pool: pool as unknown as pg.Pool,
    book: { get: () => ({ routeId: 1, enabled: true }) } as unknown as RouteBook,
    room: () => 0,
    isResting: () => isResting,
    onLeased: () => undefined,
    leaseMs: 1_000,
    idleMs: 3_600_000,
    busyMs: 1,
    log: pino({ level: 'silent' }),
    random: Math.random,
  });
  return { scheduler, looks: () => looks };
}

test('the schedule is looked at again when room is there, for a route that waits for room', async () => {
  const { scheduler, looks } = fullSchedule({ isResting: false });
  await until(() => looks() === 1, { what: 'the first look' });
  await until(
    () => {
      scheduler.roomIsThere();
      return looks() >= 3;
    },
    { what: 'two more' },
  );
  await scheduler.drain();
});

test('room for others is no reason to look again where only destinations that are down have something due', async () => {
  const { scheduler, looks } = fullSchedule({ isResting: true });
  await until(() => looks() === 1, { what: 'the first look' });
  for (let n = 0; n < 20; n += 1) {
    scheduler.roomIsThere();
    await Bun.sleep(2);
  }
  expect(looks()).toBe(1);
  scheduler.wake();
  await until(() => looks() === 2, { what: 'a look when something has changed' });
  await scheduler.drain();
});
