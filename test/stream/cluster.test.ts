import { expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import { clusterSize, createNatsCluster, whenJetStreamAnswers } from '../../src/prove/stack/cluster.ts';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { connectNats } from '../../src/stream/connection.ts';
import { createServerWatch } from '../../src/stream/server-watch.ts';
import { streamInfo } from '../../src/stream/stream-info.ts';
import { routesStreamName, streamName } from '../../src/stream/subjects.ts';
import { ensureTopology } from '../../src/stream/topology.ts';
import { findClusterNats } from '../harness/cluster-nats.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';
import { bytes, silent, testPublisher, testTopology } from './stream-fixture.ts';

const programs = await findClusterNats();

/** Three servers with every stream on all of them. */
async function startCluster(programsFolder: string) {
  await using cleanup = new AsyncDisposableStack();
  const folder = tempFolder('cluster');
  cleanup.defer(() => folder.remove());
  mkdirSync(join(folder.path, 'logs'));
  const cluster = await createNatsCluster({
    binary: join(programsFolder, 'nats-server'),
    folder: folder.path,
    ports: () => findFreePort({ random: Math.random }),
  });
  cleanup.defer(() => cluster.close());
  let running = await Promise.all(cluster.servers.map((server) => server.launch()));
  const kill = () => Promise.all(running.map((server) => server.kill()));
  cleanup.defer(async () => void (await kill()));
  const url = cluster.servers.map(({ port }) => `nats://127.0.0.1:${port}`).join(',');
  const look = await connectNats({ url, name: 'look', log: silent });
  cleanup.defer(() => look.close());
  await whenJetStreamAnswers(look, { timeoutMs: 30_000, now: () => performance.now() });
  // Several at once, as roles that start together. The servers may not know of one another's room yet.
  const makers = await Promise.all(cluster.servers.map(({ port }) => connectTo(port, url)));
  await Promise.all(
    makers.map((nc) =>
      until(() => ensureTopology(nc, { ...testTopology, streamReplicas: clusterSize }), {
        what: 'streams on three servers',
        timeoutMs: 30_000,
      }),
    ),
  );
  await Promise.all(makers.map((nc) => nc.close()));
  const owned = cleanup.move();
  const restart = async () => {
    await kill();
    running = await Promise.all(cluster.servers.map((server) => server.launch()));
  };
  return { ...cluster, url, look, restart, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The client takes any of the servers. */
async function connectTo(port: number, url: string): Promise<NatsConnection> {
  for (;;) {
    const nc = await connectNats({ url, name: 'test', log: silent });
    if (nc.getServer().endsWith(`:${port}`)) return nc;
    await nc.close();
  }
}

test.skipIf(programs === undefined)(
  'a publisher whose server is cut off from the others goes to another one, and what it publishes is stored there',
  async () => {
    await using cluster = await startCluster(programs ?? '');
    const { placement } = await streamInfo(cluster.look, streamName);
    const leader = cluster.servers.find(({ name }) => name === placement?.leader);
    if (leader === undefined) throw new Error('the stream has no leader');
    const nc = await connectTo(leader.port, cluster.url);
    const server = createServerWatch({ nc, url: cluster.url, log: silent, clock: () => performance.now() });
    const publisher = testPublisher(nc, { publishTimeoutMs: 1_000, server });
    expect(await publisher.publish('telemetry.t1', bytes('before'), 'before')).toMatchObject({ ok: true });
    cluster.isolate(leader.name);
    let n = 0;
    const stored = async () => (await publisher.publish('telemetry.t1', bytes('after'), `after-${n++}`)).ok;
    expect(await stored()).toBe(false);
    expect(nc.getServer()).toEndWith(`:${leader.port}`);
    await until(stored, { what: 'a PubAck of the next leader', timeoutMs: 40_000 });
    expect(nc.getServer()).not.toEndWith(`:${leader.port}`);
    await publisher.drain();
    await nc.close();
  },
  120_000,
);

test.skipIf(programs === undefined)(
  'streams that several roles make at once keep their time of creation when servers restart: another one would be another epoch',
  async () => {
    await using cluster = await startCluster(programs ?? '');
    const created = () =>
      Promise.all([streamName, routesStreamName].map((name) => createdOf(cluster.look, name)));
    const before = await created();
    await cluster.restart();
    const after = await until(created, { what: 'streams after the restart', timeoutMs: 40_000 });
    expect(after).toEqual(before);
  },
  120_000,
);

/** As whoever leads it says. */
async function createdOf(nc: NatsConnection, name: string): Promise<string> {
  const { created, placement } = await streamInfo(nc, name);
  if (placement?.leader === undefined) throw new Error(`${name} has no leader`);
  return created;
}
