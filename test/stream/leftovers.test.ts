import { expect, test } from 'bun:test';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startLeftoverWatch } from '../../src/stream/leftovers.ts';
import { startPuller } from '../../src/stream/puller.ts';
import { consumerInfo, streamInfo } from '../../src/stream/stream-info.ts';
import { consumerName, streamName } from '../../src/stream/subjects.ts';
import { until } from '../harness/until.ts';
import { silent, startTestStream, testPublisher } from './stream-fixture.ts';

const watch = { stream: streamName, consumer: consumerName, random: () => 0.5, log: silent };

/** A stream as a kill leaves it: the acks have reached the disk, the removals have not. */
async function startStreamWithLeftovers(count: number) {
  const stream = await startTestStream();
  const { nats, nc } = stream;
  const publisher = testPublisher(nc);
  for (let i = 0; i < count; i++) await publisher.publish('telemetry.acme', Buffer.from(`${i}`), `id-${i}`);
  const messages = join(nats.storeDir, 'jetstream', 'jetstream', '$G', 'streams', streamName, 'msgs');
  await nats.stop();
  cpSync(messages, `${nats.storeDir}-before`, { recursive: true });
  await nats.start();
  const pulled = await pullAll(stream, count);
  await until(async () => (await streamInfo(nc, streamName)).state.messages === 0, {
    what: 'all is acknowledged',
  });
  await nats.stop();
  rmSync(messages, { recursive: true });
  cpSync(`${nats.storeDir}-before`, messages, { recursive: true });
  rmSync(`${nats.storeDir}-before`, { recursive: true });
  await nats.start();
  await until(async () => (await streamInfo(nc, streamName)).state.messages === count, {
    what: 'they came back',
  });
  return { ...stream, pulled, publisher };
}

async function pullAll(
  { nc }: Awaited<ReturnType<typeof startTestStream>>,
  count: number,
): Promise<number[]> {
  const puller = startPuller({
    nc,
    stream: streamName,
    consumer: consumerName,
    batchSize: 100,
    lingerMs: 5,
    maxBuffered: 1_000,
    log: silent,
  });
  const seqs = new Set<number>();
  while (seqs.size < count) {
    for (const message of (await puller.next()) ?? []) {
      seqs.add(message.seq);
      message.ack();
    }
  }
  await puller.stop();
  return [...seqs].sort((a, b) => a - b);
}

test('acknowledged messages that a killed server brings back are delivered again, and go', async () => {
  await using stream = await startStreamWithLeftovers(20);
  const { nc, pulled } = stream;
  // What was accepted after it must not be kept from its turn.
  await stream.publisher.publish('telemetry.acme', Buffer.from('later'), 'id-later');
  const before = await consumerInfo(nc, streamName, consumerName);
  expect([before.pending, before.ackPending]).toEqual([1, 0]);
  const leftovers = startLeftoverWatch({ ...watch, nc, intervalMs: 50 });
  expect(await pullAll(stream, 21)).toEqual([...pulled, 21]);
  await until(async () => (await streamInfo(nc, streamName)).state.messages === 0, {
    what: 'the stream is empty',
  });
  await leftovers.drain();
  const after = await consumerInfo(nc, streamName, consumerName);
  expect(after.config).toEqual(before.config);
}, 30_000);

test('a consumer at work is left alone', async () => {
  await using stream = await startTestStream();
  const { nc } = stream;
  const { created } = await consumerInfo(nc, streamName, consumerName);
  const leftovers = startLeftoverWatch({ ...watch, nc, intervalMs: 1 });
  const publisher = testPublisher(nc);
  const count = 2_000;
  const pulling = pullAll(stream, count);
  for (let i = 0; i < count; i++) await publisher.publish('telemetry.acme', Buffer.from(`${i}`), `id-${i}`);
  await pulling;
  await leftovers.drain();
  expect((await consumerInfo(nc, streamName, consumerName)).created).toBe(created);
}, 30_000);
