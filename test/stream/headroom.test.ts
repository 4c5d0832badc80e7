import { expect, test } from 'bun:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { withHeadroom } from '../../src/stream/headroom.ts';
import { startPuller } from '../../src/stream/puller.ts';
import { streamInfo } from '../../src/stream/stream-info.ts';
import { consumerName, streamName } from '../../src/stream/subjects.ts';
import { ensureTopology, type TopologyOptions } from '../../src/stream/topology.ts';
import { startTestNats } from '../harness/nats.ts';
import { until } from '../harness/until.ts';
import { silent } from './stream-fixture.ts';

const limits: TopologyOptions = {
  streamMaxBytes: 200_000,
  streamMaxPerTenant: 400,
  streamReplicas: 1,
  ackWaitMs: 60_000,
  maxAckPending: 10_000,
};

const count = 380;

async function publish(nc: NatsConnection): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const answer = (await nc.request('telemetry.a', 'x'.repeat(300))).json<{ error?: unknown }>();
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
  }
}

/** Only a few of the oldest stay unacknowledged while others come, as when one batch waits for the database. */
test('a server that is killed while the stream is full by the configured limits keeps its oldest messages', async () => {
  await using nats = await startTestNats();
  const nc = await connect({ servers: nats.url });
  await ensureTopology(nc, withHeadroom(limits));
  await publish(nc);
  const puller = startPuller({
    nc,
    stream: streamName,
    consumer: consumerName,
    batchSize: count,
    lingerMs: 200,
    maxBuffered: count,
    log: silent,
  });
  let taken = 0;
  while (taken < count) {
    for (const message of (await puller.next()) ?? []) {
      taken += 1;
      if (message.seq > 10) message.ack();
    }
  }
  await until(async () => (await streamInfo(nc, streamName)).state.messages === 10, {
    what: 'the acks are in',
  });
  await publish(nc);
  await nats.kill();
  await Promise.all([puller.stop(), nc.close()]);
  await nats.start();
  const again = await connect({ servers: nats.url });
  const { state } = await streamInfo(again, streamName);
  expect(state.firstSeq).toBe(1);
  expect(state.lastSeq).toBe(2 * count);
  await again.close();
});
