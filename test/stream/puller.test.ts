import { expect, test } from 'bun:test';
import type { NatsConnection } from '@nats-io/nats-core';
import { Registry } from 'prom-client';
import { createPullerMetrics } from '../../src/observe/puller.ts';
import { connectNats } from '../../src/stream/connection.ts';
import { requestApi } from '../../src/stream/jetstream-api.ts';
import {
  type PulledMessage,
  type Puller,
  type PullerOptions,
  pullerDefaults,
  startPuller,
} from '../../src/stream/puller.ts';
import { consumerInfo, streamInfo } from '../../src/stream/stream-info.ts';
import { consumerName, streamName } from '../../src/stream/subjects.ts';
import { ensureTopology } from '../../src/stream/topology.ts';
import { until } from '../harness/until.ts';
import { startSilentProxy } from '../store/silent-proxy.ts';
import {
  bytes,
  silent,
  startTestStream,
  type TestStream,
  testPublisher,
  testTopology,
} from './stream-fixture.ts';

function testPuller(stream: TestStream, overrides: Partial<PullerOptions> = {}): Puller {
  return startPuller({
    nc: stream.nc,
    stream: streamName,
    consumer: consumerName,
    batchSize: 100,
    lingerMs: 5,
    maxBuffered: 400,
    log: silent,
    ...overrides,
  });
}

async function publishMany(stream: TestStream, count: number, prefix = 'm'): Promise<void> {
  const publisher = testPublisher(stream.nc);
  const results = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      publisher.publish('telemetry.t1', bytes(`${prefix}${n}`), `${prefix}${n}`),
    ),
  );
  expect(results.every((result) => result.ok)).toBe(true);
  await publisher.drain();
}

const info = (stream: TestStream) => consumerInfo(stream.nc, streamName, consumerName);
const textOf = (message: PulledMessage) => new TextDecoder().decode(message.data);

/** Takes and acknowledges until stopped; what it saw, by text, in order. */
function collect(puller: Puller): { readonly seen: string[]; readonly done: Promise<void> } {
  const seen: string[] = [];
  const run = async () => {
    for (let batch = await puller.next(); batch !== undefined; batch = await puller.next()) {
      for (const message of batch) {
        seen.push(textOf(message));
        message.ack();
      }
    }
  };
  return { seen, done: run() };
}

test('messages come in order, in batches, with what the stream knows of them; acks empty the stream', async () => {
  await using stream = await startTestStream();
  const { created } = await streamInfo(stream.nc, streamName);
  await publishMany(stream, 1_000);
  const puller = testPuller(stream);
  const messages: PulledMessage[] = [];
  while (messages.length < 1_000) {
    const batch = await puller.next();
    expect(batch?.length).toBeWithin(1, 101);
    for (const message of batch ?? []) {
      message.ack();
      messages.push(message);
    }
  }
  expect(messages.map(textOf)).toEqual(Array.from({ length: 1_000 }, (_, n) => `m${n}`));
  const [first] = messages;
  expect(first).toMatchObject({
    seq: 1,
    subject: 'telemetry.t1',
    msgId: 'm0',
    deliveryCount: 1,
    streamCreated: created,
  });
  expect(Math.abs(Number((first?.timestampNs ?? 0n) / 1_000_000n) - Date.now())).toBeLessThan(60_000);
  const settled = () => info(stream).then((now) => now.ackFloorSeq === 1_000 && now.ackPending === 0);
  await until(settled, { what: 'everything acknowledged' });
  expect((await streamInfo(stream.nc, streamName)).state.messages).toBe(0);
  await puller.stop();
});

test('a slow worker leaves the backlog in the stream: no more than maxBuffered is asked for', async () => {
  await using stream = await startTestStream();
  await publishMany(stream, 1_000);
  const puller = testPuller(stream, { batchSize: 50, maxBuffered: 200 });
  await until(async () => (await info(stream)).ackPending === 200, { what: 'the buffer is full' });
  const batch = await puller.next();
  expect(batch).toHaveLength(50);
  await until(async () => (await info(stream)).ackPending === 250, { what: 'the room is used again' });
  await puller.stop();
});

test('stop gives back at once what was not taken, and ends whoever waits', async () => {
  await using stream = await startTestStream();
  await publishMany(stream, 300);
  const puller = testPuller(stream, { batchSize: 100, maxBuffered: 300 });
  const first = await puller.next();
  await until(async () => (await info(stream)).ackPending === 300, { what: 'all delivered' });
  await puller.stop();
  expect(await puller.next()).toBeUndefined();
  for (const message of first ?? []) message.ack();
  const other = testPuller(stream);
  const { seen, done } = collect(other);
  await until(() => seen.length === 200, { what: 'the rest comes to another puller' });
  const waiting = other.next();
  await other.stop();
  expect(await waiting).toBeUndefined();
  await done;
});

test('a nak with a delay comes again later, with its delivery count', async () => {
  await using stream = await startTestStream();
  await publishMany(stream, 1);
  const puller = testPuller(stream);
  const before = performance.now();
  (await puller.next())?.[0]?.nak(300);
  const again = (await puller.next())?.[0];
  expect(performance.now() - before).toBeGreaterThanOrEqual(295);
  expect(again).toMatchObject({ seq: 1, deliveryCount: 2 });
  again?.ack();
  await puller.stop();
});

test('what waits in the buffer is not delivered to others, however long the worker takes', async () => {
  await using stream = await startTestStream({ ackWaitMs: 3_000 });
  await publishMany(stream, 10);
  const puller = testPuller(stream, { batchSize: 5, maxBuffered: 10 });
  await until(async () => (await info(stream)).ackPending === 10, { what: 'all delivered' });
  const hungry = testPuller(stream);
  const { seen, done } = collect(hungry);
  const since = performance.now();
  await until(() => performance.now() - since > 4_500, { what: 'more than the ack wait' });
  expect(seen).toEqual([]);
  await puller.stop();
  await until(() => seen.length === 10, { what: 'given back at the stop' });
  await hungry.stop();
  await done;
}, 15_000);

test('through kills and restarts of the server everything arrives', async () => {
  await using stream = await startTestStream();
  const puller = testPuller(stream);
  const { seen, done } = collect(puller);
  for (const [round, kill] of [true, false, true].entries()) {
    await publishMany(stream, 500, `r${round}-`);
    const some = seen.length + 50;
    await until(() => seen.length >= some || new Set(seen).size >= 500 * (round + 1), {
      what: 'some arrived',
    });
    await (kill ? stream.nats.kill() : stream.nats.stop());
    await stream.nats.start();
  }
  await publishMany(stream, 500, 'end-');
  const expected = ['r0-', 'r1-', 'r2-', 'end-'].flatMap((p) => Array.from({ length: 500 }, (_, n) => p + n));
  await until(() => new Set(seen).size >= 2_000, { what: 'everything arrived', timeoutMs: 45_000 });
  expect([...new Set(seen)].toSorted()).toEqual(expected.toSorted());
  await puller.stop();
  await done;
}, 60_000);

test('a consumer deleted behind our back is reported, and pulled from again once it is made', async () => {
  await using stream = await startTestStream();
  const reported: string[] = [];
  const puller = testPuller(stream, {
    onMissing: async (what) => {
      reported.push(what);
      await ensureTopology(stream.nc, testTopology);
    },
  });
  const { seen, done } = collect(puller);
  await publishMany(stream, 10, 'a');
  await until(() => seen.length === 10, { what: 'the first ten' });
  await requestApi(stream.nc, `CONSUMER.DELETE.${streamName}.${consumerName}`);
  await until(() => reported.length > 0, { what: 'the report' });
  expect(reported[0]).toBe('consumer');
  await publishMany(stream, 10, 'b');
  await until(() => seen.includes('b9'), { what: 'the next ten' });
  await puller.stop();
  await done;
});

test('a deleted stream is reported; messages of the new one carry its own creation time', async () => {
  await using stream = await startTestStream();
  const reported: string[] = [];
  const puller = testPuller(stream, {
    onMissing: async (what) => {
      reported.push(what);
      await ensureTopology(stream.nc, testTopology);
    },
  });
  await publishMany(stream, 1, 'a');
  const [before] = (await puller.next()) ?? [];
  await requestApi(stream.nc, `STREAM.DELETE.${streamName}`);
  await until(() => reported.length > 0, { what: 'the report' });
  expect(reported[0]).toBe('stream');
  await until(() => streamInfo(stream.nc, streamName), { what: 'the stream is there again' });
  await publishMany(stream, 1, 'b');
  const [after] = (await puller.next()) ?? [];
  expect([before?.seq, after?.seq]).toEqual([1, 1]);
  expect(after?.streamCreated).not.toBe(before?.streamCreated);
  expect(after?.streamCreated).toBe((await streamInfo(stream.nc, streamName)).created);
  await puller.stop();
});

test('a stream that is not there at the start is reported until it is, and then pulled from', async () => {
  await using stream = await startTestStream();
  await requestApi(stream.nc, `STREAM.DELETE.${streamName}`);
  const reported: string[] = [];
  const puller = testPuller(stream, { onMissing: (what) => void reported.push(what) });
  const { seen, done } = collect(puller);
  await until(() => reported.length >= 2, { what: 'reported again and again' });
  await ensureTopology(stream.nc, testTopology);
  await publishMany(stream, 10);
  await until(() => seen.length === 10, { what: 'all ten' });
  await puller.stop();
  await done;
});

test.each([
  ['silence', 20_000],
  ['idle with messages pending', 11_000],
])('requests that were lost on their way are made again: %s', async (reason, laterMs) => {
  await using stream = await startTestStream();
  const lost: string[] = [];
  let lossy = true;
  let skewMs = 0;
  // A network that swallows pull requests.
  const nc: NatsConnection = Object.create(stream.nc, {
    publish: {
      value: (...[subject, data, options]: Parameters<NatsConnection['publish']>) => {
        if (lossy && subject.includes('.MSG.NEXT.')) lost.push(subject);
        else stream.nc.publish(subject, data, options);
      },
    },
  });
  const reasons: string[] = [];
  const puller = testPuller(stream, {
    nc,
    clock: () => performance.now() + skewMs,
    metrics: { received: () => undefined, interrupted: (why) => reasons.push(why), watch: () => undefined },
  });
  const { seen, done } = collect(puller);
  await until(() => lost.length === 4, { what: 'all requests are lost' });
  await publishMany(stream, 10);
  lossy = false;
  skewMs = laterMs;
  await until(() => seen.length === 10, { what: 'asked again' });
  expect(reasons).toEqual([reason]);
  await puller.stop();
  await done;
});

test('a connection that is open and carries nothing: it is noticed, counted, and messages come again', async () => {
  await using stream = await startTestStream();
  await using proxy = await startSilentProxy(stream.nats.url);
  const nc = await connectNats({ url: proxy.url, name: 'half open', log: silent });
  const registry = new Registry();
  const puller = testPuller(stream, { nc, metrics: createPullerMetrics(registry) });
  const { seen, done } = collect(puller);
  await publishMany(stream, 10, 'before');
  await until(() => seen.length === 10, { what: 'messages come' });
  proxy.silence();
  await publishMany(stream, 10, 'after');
  // Pings find it out: two of them, 5 s apart.
  const distinct = () => new Set(seen).size;
  await until(() => distinct() === 20, { what: 'messages come again', timeoutMs: 45_000 });
  expect(await registry.getSingleMetricAsString('tributary_puller_interruptions_total')).toMatch(
    /reason="(reconnect|silence)"} [1-9]/,
  );
  await puller.stop();
  await done;
  await nc.close();
}, 60_000);

test('two pullers share a backlog without losing or doubling anything', async () => {
  await using stream = await startTestStream();
  const pullers = [testPuller(stream), testPuller(stream)];
  const collections = pullers.map(collect);
  await publishMany(stream, 2_000);
  const all = () => collections.flatMap(({ seen }) => seen);
  await until(() => all().length >= 2_000, { what: 'everything arrived' });
  expect(new Set(all()).size).toBe(2_000);
  await Promise.all(pullers.map((puller) => puller.stop()));
  await Promise.all(collections.map(({ done }) => done));
});

test('large messages are bounded in bytes: those asked for, those of a batch; and all of them come', async () => {
  await using stream = await startTestStream();
  const size = 250_000;
  const count = 240;
  const publisher = testPublisher(stream.nc);
  const publishes = Array.from({ length: count }, (_, n) => {
    const text = `${n}`.padEnd(size, '.');
    return publisher.publish('telemetry.t1', bytes(text), `large${n}`);
  });
  expect((await Promise.all(publishes)).every(({ ok }) => ok)).toBe(true);
  const puller = testPuller(stream, { batchSize: 1_000, maxBuffered: 2_000 });
  let delivered = 0;
  await until(
    async () => {
      const before = delivered;
      delivered = (await info(stream)).ackPending;
      return delivered > 0 && delivered === before;
    },
    { what: 'as much is delivered as is asked for', everyMs: 200 },
  );
  expect(delivered * size).toBeLessThan(pullerDefaults.maxBufferedBytes + pullerDefaults.requestBytes);
  const seen = new Set<number>();
  while (seen.size < count) {
    const batch = (await puller.next()) ?? [];
    expect(batch.length * size).toBeLessThanOrEqual(pullerDefaults.maxBatchBytes);
    for (const message of batch) {
      seen.add(Number.parseInt(textOf(message), 10));
      message.ack();
    }
  }
  await until(async () => (await streamInfo(stream.nc, streamName)).state.messages === 0, {
    what: 'all is gone',
  });
  await puller.stop();
}, 30_000);
