import { expect, test } from 'bun:test';
import { connectNats } from '../../src/stream/connection.ts';
import { requestApi } from '../../src/stream/jetstream-api.ts';
import { consumerInfo, streamInfo } from '../../src/stream/stream-info.ts';
import { consumerName, routesConsumerName, routesStreamName, streamName } from '../../src/stream/subjects.ts';
import {
  checkTopology,
  ensureTopology,
  TopologyRefusedError,
  updateTopology,
} from '../../src/stream/topology.ts';
import { startTestNats } from '../harness/nats.ts';
import { silent, testTopology } from './stream-fixture.ts';

async function connected(overrides: Parameters<typeof startTestNats>[0] = {}) {
  const nats = await startTestNats(overrides);
  const nc = await connectNats({ url: nats.url, name: 'test', log: silent });
  return {
    nc,
    [Symbol.asyncDispose]: async () => {
      await nc.close();
      await nats[Symbol.asyncDispose]();
    },
  };
}

test('both streams and consumers are missing, are made as designed, and are then as wanted', async () => {
  await using server = await connected();
  const states = (report: Awaited<ReturnType<typeof checkTopology>>) =>
    [...report.streams, ...report.consumers].map(({ name, state }) => `${name} ${state}`);
  const names = [streamName, routesStreamName, consumerName, routesConsumerName];
  expect(states(await checkTopology(server.nc, testTopology))).toEqual(
    names.map((name) => `${name} missing`),
  );
  expect(states(await ensureTopology(server.nc, testTopology))).toEqual(
    names.map((name) => `${name} created`),
  );
  expect(states(await ensureTopology(server.nc, testTopology))).toEqual(names.map((name) => `${name} ok`));
  expect(states(await checkTopology(server.nc, testTopology))).toEqual(names.map((name) => `${name} ok`));
  const stream = await streamInfo(server.nc, streamName);
  expect(stream).toMatchObject({
    maxBytes: testTopology.streamMaxBytes,
    maxPerSubject: testTopology.streamMaxPerTenant,
    state: { messages: 0, lastSeq: 0, consumers: 1 },
  });
  expect(stream.config).toMatchObject({
    subjects: ['telemetry.>'],
    storage: 'file',
    retention: 'workqueue',
    discard: 'new',
    discard_new_per_subject: true,
    duplicate_window: 120e9,
  });
  expect((await consumerInfo(server.nc, streamName, consumerName)).config).toMatchObject({
    ack_policy: 'explicit',
    max_deliver: -1,
    ack_wait: 30e9,
  });
});

test('what differs is named field by field with both values, and left as it is', async () => {
  await using server = await connected();
  await ensureTopology(server.nc, testTopology);
  const wanted = { ...testTopology, streamMaxBytes: 1024, ackWaitMs: 5_000 };
  for (const look of [checkTopology, ensureTopology]) {
    const report = await look(server.nc, wanted);
    expect(report.streams[0]).toEqual({
      name: streamName,
      state: 'differs',
      differences: [`max_bytes is ${testTopology.streamMaxBytes}, wanted 1024`],
    });
    expect(report.consumers[0]).toEqual({
      stream: streamName,
      name: consumerName,
      state: 'differs',
      differences: ['ack_wait is 30000000000, wanted 5000000000'],
    });
    expect(report.streams[1]?.state).toBe('ok');
  }
});

test('on request what differs is changed, and what the server will not change is said', async () => {
  await using server = await connected();
  await ensureTopology(server.nc, testTopology);
  const wanted = { ...testTopology, streamMaxBytes: 1024 ** 2, ackWaitMs: 5_000, maxAckPending: 7 };
  const report = await updateTopology(server.nc, wanted);
  expect([...report.streams, ...report.consumers].map(({ state }) => state)).toEqual([
    'updated',
    'ok',
    'updated',
    'updated',
  ]);
  const after = await checkTopology(server.nc, wanted);
  expect([...after.streams, ...after.consumers].every(({ state }) => state === 'ok')).toBe(true);
  await requestApi(server.nc, `STREAM.DELETE.${streamName}`);
  await requestApi(server.nc, `STREAM.CREATE.${streamName}`, { name: streamName, subjects: ['telemetry.>'] });
  const refused = await updateTopology(server.nc, wanted).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(TopologyRefusedError);
  expect(String(refused)).toContain('change the stream TELEMETRY');
});

test('a stream that somebody made without our guarantees is told in every point', async () => {
  await using server = await connected();
  await requestApi(server.nc, `STREAM.CREATE.${streamName}`, { name: streamName, subjects: ['telemetry.*'] });
  const [telemetry] = (await checkTopology(server.nc, testTopology)).streams;
  expect(telemetry?.state).toBe('differs');
  expect(telemetry?.differences).toContain('subjects is ["telemetry.*"], wanted ["telemetry.>"]');
  expect(telemetry?.differences).toContain('retention is limits, wanted workqueue');
  expect(telemetry?.differences).toContain('discard is old, wanted new');
  expect(telemetry?.differences).toContain('discard_new_per_subject is not set, wanted true');
});

test('several processes may make the topology at once', async () => {
  await using server = await connected();
  const reports = await Promise.all(Array.from({ length: 8 }, () => ensureTopology(server.nc, testTopology)));
  for (const report of reports) {
    for (const item of [...report.streams, ...report.consumers]) {
      expect(['ok', 'created']).toContain(item.state);
    }
  }
});

test('a server without room for the stream, or without a cluster, is one sentence with the remedy', async () => {
  await using server = await connected({ maxStoreBytes: 1024 ** 2 });
  const refused = (options: typeof testTopology) =>
    ensureTopology(server.nc, options).then(
      () => undefined,
      (error: unknown) => error,
    );
  const tooLarge = await refused({ ...testTopology, streamMaxBytes: 1024 ** 3 });
  expect(tooLarge).toBeInstanceOf(TopologyRefusedError);
  expect(String(tooLarge)).toContain('TRIBUTARY_STREAM_MAX_BYTES');
  expect(String(tooLarge)).toContain('1073741824');
  const replicas = await refused({ ...testTopology, streamMaxBytes: 1024, streamReplicas: 3 });
  expect(String(replicas)).toContain('TRIBUTARY_STREAM_REPLICAS');
});
