import { expect, test } from 'bun:test';
import { Registry } from 'prom-client';
import { registerBacklogMetrics } from '../../src/observe/backlog.ts';
import { startBacklogMonitor } from '../../src/stream/backlog.ts';
import { nextSample } from '../../src/stream/backlog-sample.ts';
import { requestApi } from '../../src/stream/jetstream-api.ts';
import { startPuller } from '../../src/stream/puller.ts';
import type { ConsumerInfo, StreamInfo } from '../../src/stream/stream-info.ts';
import { consumerName, streamName } from '../../src/stream/subjects.ts';
import { until } from '../harness/until.ts';
import { bytes, silent, startTestStream, testPublisher } from './stream-fixture.ts';

function stream(lastSeq: number, messages: number, created = 'a'): StreamInfo {
  const state = {
    messages,
    bytes: messages * 100,
    firstSeq: lastSeq - messages + 1,
    lastSeq,
    firstAtMs: messages === 0 ? undefined : 1_000,
    consumers: 1,
    subjects: 1,
  };
  return {
    name: streamName,
    created,
    state,
    replicas: 1,
    placement: undefined,
    maxBytes: 1e6,
    maxPerSubject: 1_000,
    config: {},
  };
}

const consumer: ConsumerInfo = {
  name: consumerName,
  created: 'a',
  deliveredSeq: 0,
  deliveries: 0,
  ackFloorSeq: 0,
  ackPending: 0,
  pending: 0,
  redelivered: 0,
  waiting: 0,
  placement: undefined,
  config: {},
};

test('the drain rate is what left between samples, smoothed, and starts afresh with a new stream', () => {
  const first = nextSample(undefined, stream(1_000, 1_000), consumer, 0);
  expect(first.backlog.drainedPerSecond).toBe(0);
  // 500 came and 200 left within a second: arrivals do not count.
  const second = nextSample(first, stream(1_500, 1_300), consumer, 1_000);
  expect(second.backlog.drainedPerSecond).toBe(200);
  const third = nextSample(second, stream(1_500, 1_300), consumer, 2_000);
  expect(third.backlog.drainedPerSecond).toBeCloseTo(140);
  let idle = third;
  for (let at = 3_000; at < 60_000; at += 1_000) idle = nextSample(idle, stream(1_500, 1_300), consumer, at);
  expect(idle.backlog.drainedPerSecond).toBe(0);
  expect(nextSample(third, stream(5, 0, 'b'), consumer, 3_000).backlog.drainedPerSecond).toBe(0);
});

test('ten looks within a second weigh as much as one', () => {
  const before = nextSample(
    nextSample(undefined, stream(1_000, 1_000), consumer, 0),
    stream(1_000, 800),
    consumer,
    1_000,
  );
  let often = before;
  for (let at = 1_100; at <= 2_000; at += 100) often = nextSample(often, stream(1_000, 800), consumer, at);
  const once = nextSample(before, stream(1_000, 800), consumer, 2_000);
  expect(once.backlog.drainedPerSecond).toBeCloseTo(140);
  expect(often.backlog.drainedPerSecond).toBeCloseTo(140);
});

test('after a refusal it does not wait for its next regular look', async () => {
  await using test = await startTestStream();
  const publisher = testPublisher(test.nc);
  const options = { nc: test.nc, stream: streamName, consumer: consumerName, log: silent };
  const limits = { maxBytes: 1_000_000, maxPerTenant: 2 };
  const monitor = startBacklogMonitor({ ...options, limits, intervalMs: 3_600_000 });
  for (const id of ['a', 'b']) await publisher.publish('telemetry.t1', bytes('x'), id);
  await monitor.look();
  expect(monitor.take('telemetry.t1', 1)).toBe('tenant_full');
  await requestApi(test.nc, `STREAM.PURGE.${streamName}`);
  await until(() => monitor.take('telemetry.t1', 1) === undefined, { what: 'the room is seen' });
  await Promise.all([monitor.drain(), publisher.drain()]);
});

test('it samples a real stream, and says nothing any more once NATS has been away for long', async () => {
  await using test = await startTestStream();
  const publisher = testPublisher(test.nc);
  await Promise.all(
    Array.from({ length: 100 }, (_, n) => publisher.publish('telemetry.t1', bytes('x'), `m${n}`)),
  );
  const monitor = startBacklogMonitor({
    nc: test.nc,
    stream: streamName,
    consumer: consumerName,
    intervalMs: 50,
    log: silent,
  });
  await until(() => monitor.current()?.pending === 100, { what: 'the backlog is seen' });
  const registry = new Registry();
  const laterMs = Date.now() + 60_000;
  registerBacklogMetrics(registry, streamName, monitor.current, () => laterMs);
  const text = await registry.metrics();
  expect(text).toContain('tributary_stream_messages{stream="TELEMETRY"} 100');
  const [, age] =
    text.match(/^tributary_stream_oldest_message_age_seconds\{stream="TELEMETRY"\} (\S+)$/m) ?? [];
  expect(Number(age)).toBeGreaterThanOrEqual(60);
  expect(Number(age)).toBeLessThan(120);
  const puller = startPuller({
    nc: test.nc,
    stream: streamName,
    consumer: consumerName,
    batchSize: 10,
    lingerMs: 0,
    maxBuffered: 10,
    log: silent,
  });
  const work = async () => {
    for (let batch = await puller.next(); batch !== undefined; batch = await puller.next()) {
      for (const message of batch) message.ack();
    }
  };
  const done = work();
  await until(() => (monitor.current()?.drainedPerSecond ?? 0) > 0, { what: 'the drain is seen' });
  await until(() => monitor.current()?.streamMessages === 0, { what: 'it is drained' });
  await puller.stop();
  await done;
  await test.nats.kill();
  await until(() => monitor.current() === undefined, { what: 'the sample is too old' });
  await Promise.all([monitor.drain(), publisher.drain()]);
});
