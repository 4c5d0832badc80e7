import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import {
  type SettledWaits,
  type SettledWaitsOptions,
  startSettledWaits,
} from '../../src/intake/settled-waits.ts';
import type { Fate } from '../../src/model/fate.ts';
import type { Receipt } from '../../src/model/receipt.ts';
import { settledSubject } from '../../src/stream/subjects.ts';
import { startTestNats, type TestNats } from '../harness/nats.ts';

let server: TestNats;
let nc: NatsConnection;
beforeAll(async () => {
  server = await startTestNats();
  nc = await connect({ servers: server.url });
});
afterAll(async () => {
  await nc.close();
  await server[Symbol.asyncDispose]();
});

const receipt: Receipt = {
  kind: 'key',
  repeated: false,
  streamLife: 1,
  seq: 7,
  arrivedAtMs: 0,
  timeUs: 0,
  identity: '0'.repeat(32),
  bodyTag: 0,
};
const never = new AbortController().signal;
const away: SettledWaitsOptions['find'] = async () => {
  throw new Error('the database is away');
};
let doors = 0;

function start(find: SettledWaitsOptions['find'], maxWaiting = 10): SettledWaits {
  doors += 1;
  return startSettledWaits({ nc, id: `gateway-${doors}`, find, maxWaiting, now: () => performance.now() });
}

function opened(waits: SettledWaits) {
  const wait = waits.open();
  if (wait === undefined) throw new Error('there was no room to wait');
  const tell = async (notice: unknown) => {
    nc.publish(settledSubject(wait.settledTo) ?? 'none', JSON.stringify(notice));
    await nc.flush();
  };
  return { ...wait, tell };
}

test('the notice ends the wait, also when it comes before the PubAck', async () => {
  const waits = start(away);
  for (const early of [true, false]) {
    const wait = opened(waits);
    const notice = { seq: 7, outcome: 'stored', time: 'T' };
    if (early) await wait.tell(notice);
    const fate = wait.settled(receipt, 10_000, never);
    if (!early) await wait.tell(notice);
    expect(await fate).toEqual({ status: 'stored', time: 'T' });
  }
  expect(waits.waiting).toBe(0);
});

test('a notice that is lost is made up for by the database, in one query for all', async () => {
  const asked: number[] = [];
  const waits = start(async (receipts) => {
    asked.push(receipts.length);
    return receipts.map((): Fate => ({ status: 'stored', time: 'T' }));
  });
  const fates = [1, 2, 3].map(() => opened(waits).settled(receipt, 10_000, never));
  expect(await Promise.all(fates)).toEqual(Array(3).fill({ status: 'stored', time: 'T' }));
  expect(asked).toEqual([3]);
});

test('a message that JetStream knew is asked for at once, and no notice of it counts', async () => {
  const waits = start(async () => [{ status: 'duplicate', firstTime: 'T' }]);
  const wait = opened(waits);
  await wait.tell({ seq: 7, outcome: 'stored', time: 'other' });
  expect(await wait.settled({ ...receipt, repeated: true }, 10_000, never)).toEqual({
    status: 'duplicate',
    firstTime: 'T',
  });
});

test('nonsense, and notices of another number, are not heard; the wait ends with its time', async () => {
  const waits = start(async (receipts) => receipts.map((): Fate => ({ status: 'queued' })));
  const wait = opened(waits);
  const fate = wait.settled(receipt, 200, never);
  await wait.tell('nonsense');
  await wait.tell({ seq: 8, outcome: 'stored', time: 'T' });
  await wait.tell({ seq: 7, outcome: 'stored' });
  expect(await fate).toBeUndefined();
});

test('a duplicate is told although the database is away', async () => {
  const wait = opened(start(away));
  const fate = wait.settled(receipt, 10_000, never);
  await wait.tell({ seq: 7, outcome: 'duplicate' });
  expect(await fate).toEqual({ status: 'duplicate', firstTime: undefined });
});

test('no more wait than may; whoever goes away is forgotten; a drain ends all', async () => {
  const waits = start(away, 2);
  const gone = new AbortController();
  const [first, second] = [opened(waits), opened(waits)];
  expect(waits.open()).toBeUndefined();
  const fates = [first.settled(receipt, 10_000, gone.signal), second.settled(receipt, 10_000, never)];
  gone.abort();
  expect(await fates[0]).toBeUndefined();
  expect(waits.waiting).toBe(1);
  waits.drain();
  expect(await fates[1]).toBeUndefined();
  expect(waits.waiting).toBe(0);
  expect(waits.open()).toBeUndefined();
});
