import { expect, test } from 'bun:test';
import { Breaker } from '../../src/delivery/breaker.ts';
import { Dispatcher, type DispatcherLimits } from '../../src/delivery/dispatcher.ts';
import type { Outcome } from '../../src/delivery/outcome.ts';
import type { Parcel } from '../../src/delivery/parcel.ts';

const limits: DispatcherLimits = {
  perRoute: 2,
  perDestination: 3,
  total: 6,
  queuedPerRoute: 10,
  queuedTotal: 100,
};
const failed: Outcome = { kind: 'retry', error: 'down', unwell: true };
const delivered: Outcome = { kind: 'delivered' };

/** A dispatcher whose attempts end when the test says. */
function world(overrides: Partial<DispatcherLimits> = {}) {
  const clock = { nowMs: 0 };
  const begun: { readonly parcel: Parcel; end(outcome: Outcome): Promise<void> }[] = [];
  const ended: string[] = [];
  const returned: string[] = [];
  const told = { recovered: 0 };
  const dispatcher = new Dispatcher<undefined>({
    limits: { ...limits, ...overrides },
    breaker: { failures: 3, baseMs: 1_000, maxMs: 8_000 },
    onOutcome: ({ parcel }, { kind }) => ended.push(`${parcel.id} ${kind}`),
    onReturned: ({ parcel }) => returned.push(parcel.id),
    onRecovered: () => {
      told.recovered += 1;
    },
    now: () => clock.nowMs,
    random: () => 1,
  });
  let count = 0;
  const offer = (routeId: number, tenantId = 't1', destination = `https://d${routeId}`) => {
    const parcel = {
      id: `${routeId}.${count++}`,
      routeId,
      tenantId,
      jobs: [],
      isBatch: false,
      attempts: 0,
      firstAtMs: 0,
    };
    const send = (given: Parcel) =>
      new Promise<Outcome>((resolve) => {
        const end = async (outcome: Outcome) => {
          resolve(outcome);
          await Promise.resolve();
          await Promise.resolve();
        };
        begun.push({ parcel: given, end });
      });
    return dispatcher.offer({ parcel, sender: { destination, send }, origin: undefined });
  };
  const ofRoute = (routeId: number) => begun.filter(({ parcel }) => parcel.routeId === routeId).length;
  return { dispatcher, clock, begun, ended, returned, told, offer, ofRoute };
}

test('a route whose attempts hang takes its own slots and its own queue, and then nothing more', () => {
  const { offer, ofRoute, dispatcher } = world();
  const taken = Array.from({ length: 50 }, () => offer(1)).filter(Boolean).length;
  expect({ taken, attempting: ofRoute(1), queued: dispatcher.queued }).toEqual({
    taken: 12,
    attempting: 2,
    queued: 10,
  });
  expect([offer(2), ofRoute(2)]).toEqual([true, 1]);
});

test('routes of one tenant share the slots of a destination; another tenant has its own there', () => {
  const { offer, ofRoute } = world();
  for (const route of [1, 2]) for (let n = 0; n < 4; n += 1) offer(route, 't1', 'https://shared');
  expect(ofRoute(1) + ofRoute(2)).toBe(3);
  offer(3, 't2', 'https://shared');
  expect(ofRoute(3)).toBe(1);
});

test('where the process is full, tenants take turns, and within one its routes', async () => {
  const { offer, begun } = world({ total: 1, perRoute: 1 });
  for (const route of [1, 2, 3]) for (let n = 0; n < 4; n += 1) offer(route, 'big');
  offer(9, 'small');
  offer(9, 'small');
  for (let n = 0; n < 7; n += 1) await begun[n]?.end(delivered);
  const order = begun.slice(1, 8).map(({ parcel }) => parcel.routeId);
  expect(order.slice(0, 4).filter((route) => route === 9).length).toBe(2);
  expect(new Set(order.filter((route) => route !== 9))).toEqual(new Set([1, 2, 3]));
});

test('failures in a row open the breaker: the queue comes back, nothing begins, then one probe at a time', async () => {
  const { offer, begun, returned, clock, dispatcher, ofRoute } = world();
  for (let n = 0; n < 5; n += 1) offer(1);
  for (let n = 0; n < 3; n += 1) await begun[n]?.end(failed);
  expect(dispatcher.openBreakers).toBe(1);
  const tried = ofRoute(1);
  expect(returned.length + tried).toBe(5);
  await begun[3]?.end(failed);
  expect(offer(1)).toBe(false);
  clock.nowMs = 1_000;
  expect([offer(1), offer(1)]).toEqual([true, false]);
  await begun.at(-1)?.end(failed);
  clock.nowMs = 2_999;
  expect(offer(1)).toBe(false);
  clock.nowMs = 3_000;
  expect(offer(1)).toBe(true);
  await begun.at(-1)?.end(delivered);
  expect([dispatcher.openBreakers, offer(1), offer(1)]).toEqual([0, true, true]);
});

test('a destination rests while its breaker is open or its route is paused; room that is taken is no rest', async () => {
  const { offer, begun, clock, dispatcher, told } = world();
  const isResting = () => dispatcher.isResting(1, 't1', 'https://d1');
  while (offer(1));
  expect([dispatcher.room(1, 't1', 'https://d1'), isResting()]).toEqual([0, false]);
  for (let n = 0; n < 3; n += 1) await begun[n]?.end(failed);
  expect([isResting(), dispatcher.isResting(2, 't1', 'https://d2')]).toEqual([true, false]);
  clock.nowMs = 1_000;
  expect(isResting()).toBe(false);
  offer(1);
  // The probe is under way: nobody else may.
  expect(isResting()).toBe(true);
  await begun.at(-1)?.end(delivered);
  expect([isResting(), told.recovered]).toEqual([false, 1]);
  offer(1);
  dispatcher.pause(1, 500);
  expect(isResting()).toBe(true);
  clock.nowMs = 1_500;
  expect(isResting()).toBe(false);
  await begun.at(-1)?.end(delivered);
  expect(told.recovered).toBe(1);
});

test('a failure every second time, and answers with a no, never open it', async () => {
  const { offer, begun, dispatcher } = world();
  const outcomes: Outcome[] = [
    failed,
    delivered,
    failed,
    failed,
    { kind: 'dead', reason: 'REFUSED', detail: '404' },
  ];
  const passing: Outcome = { kind: 'retry', error: '429', unwell: false };
  for (const outcome of [...outcomes, ...outcomes, failed, failed, passing, failed, failed]) {
    offer(1);
    await begun.at(-1)?.end(outcome);
  }
  expect(dispatcher.openBreakers).toBe(0);
});

test('a paused route begins nothing until its time is over; what waited comes back', async () => {
  const { offer, returned, dispatcher, clock, begun } = world();
  for (let n = 0; n < 4; n += 1) offer(1);
  dispatcher.pause(1, 5_000);
  expect([returned.length, offer(1), offer(2)]).toEqual([2, false, true]);
  for (const attempt of begun) await attempt.end(delivered);
  dispatcher.sweep(1_000);
  clock.nowMs = 4_999;
  expect(offer(1)).toBe(false);
  clock.nowMs = 5_000;
  expect(offer(1)).toBe(true);
});

test('what has waited too long in memory comes back, oldest first', () => {
  const { offer, returned, dispatcher, clock } = world();
  for (let n = 0; n < 4; n += 1) offer(1);
  clock.nowMs = 600;
  offer(1);
  clock.nowMs = 1_001;
  dispatcher.sweep(1_000);
  expect(returned).toEqual(['1.2', '1.3']);
  expect(dispatcher.queued).toBe(1);
});

test('a drain hands back what waits and ends when the attempts under way have', async () => {
  const { offer, returned, dispatcher, begun, ended } = world();
  for (let n = 0; n < 4; n += 1) offer(1);
  const drained = dispatcher.drain();
  expect([returned, offer(1)]).toEqual([['1.2', '1.3'], false]);
  for (const attempt of begun) await attempt.end(delivered);
  await drained;
  expect(ended).toEqual(['1.0 delivered', '1.1 delivered']);
});

test('the pauses of a breaker grow to a limit, and what began before it opened says nothing new', () => {
  const breaker = new Breaker({ failures: 1, baseMs: 1_000, maxMs: 3_000 }, () => 0);
  const late = breaker.begin();
  breaker.failed(breaker.begin(), 0);
  breaker.failed(late, 400);
  expect([breaker.permits(499), breaker.permits(500)]).toEqual([0, 1]);
  for (const pauseMs of [1_000, 1_500, 1_500]) {
    breaker.failed(breaker.begin(), 10_000);
    expect([breaker.permits(10_000 + pauseMs - 1), breaker.permits(10_000 + pauseMs)]).toEqual([0, 1]);
  }
});
