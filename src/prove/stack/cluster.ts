import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import { objectOf, requestApi, stringOf } from '../../stream/jetstream-api.ts';
import { consumerInfo, type Placement, streamInfo } from '../../stream/stream-info.ts';
import { consumerName, routesStreamName, streamName } from '../../stream/subjects.ts';
import type { Launched } from './member.ts';
import { startProxy, type TcpProxy } from './proxy.ts';
import { launchNats, natsFolder } from './servers.ts';

/** Servers of the cluster; each stream is kept by all of them. */
export const clusterSize = 3;

/** Three nats-servers whose routes to one another pass through proxies. */
export interface NatsCluster {
  readonly servers: readonly {
    /** What JetStream calls it, too. */
    readonly name: string;
    readonly port: number;
    readonly launch: () => Promise<Launched>;
  }[];
  /** The server and the others do not hear one another any more; who is connected to it still is. */
  isolate(name: string): void;
  rejoin(name: string): void;
  close(): Promise<void>;
}

/** Both of a pair dial, and keep one connection: a server without routes of its own starts no cluster. */
interface Route {
  readonly from: string;
  readonly to: string;
  readonly proxy: TcpProxy;
}

/** Nobody listens there: the servers tell it to one another, and so find no way around the proxies. */
const nowhere = '127.0.0.1:1';

export async function createNatsCluster(options: {
  readonly binary: string;
  readonly folder: string;
  readonly ports: () => Promise<number>;
}): Promise<NatsCluster> {
  const { binary, folder, ports } = options;
  const places: { name: string; port: number; routePort: number }[] = [];
  while (places.length < clusterSize)
    places.push({ name: `nats-${places.length + 1}`, port: await ports(), routePort: await ports() });
  const routes: Route[] = [];
  for (const { name } of places) {
    for (const other of places.filter((place) => place.name !== name))
      routes.push({ from: name, to: other.name, proxy: await startProxy({ port: other.routePort }) });
  }
  const routesOf = (name: string) => routes.filter(({ from, to }) => from === name || to === name);
  return {
    servers: places.map(({ name, port, routePort }) => ({
      name,
      port,
      launch: launchNats({
        binary,
        storeDir: join(natsFolder(folder), name),
        logFile: join(folder, 'logs', `${name}.log`),
        port,
        cluster: {
          name: 'tributary-prove',
          serverName: name,
          port: routePort,
          routes: routes.filter(({ from }) => from === name).map(({ proxy }) => `127.0.0.1:${proxy.port}`),
          advertise: nowhere,
        },
      }),
    })),
    isolate: (name) => routesOf(name).forEach(({ proxy }) => void proxy.interrupt()),
    rejoin: (name) => routesOf(name).forEach(({ proxy }) => void proxy.restore()),
    close: async () => {
      await Promise.all(routes.map(({ proxy }) => proxy.close()));
    },
  };
}

/** Tells of each leader that the stream gets from now on, until it is drained. */
export function watchElections(nc: NatsConnection, onElected: (leader: string) => void): () => void {
  const subscription = nc.subscribe(`$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.${streamName}`, {
    callback: (error, message) => {
      if (error === null) onElected(stringOf(objectOf(message.json()).leader));
    },
  });
  return () => subscription.unsubscribe();
}

export interface Patience {
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** @throws Error when the servers have not agreed on a leader of their own in time. */
export async function whenJetStreamAnswers(nc: NatsConnection, patience: Patience): Promise<void> {
  const why = await untilTrue(patience, async () => {
    await requestApi(nc, 'STREAM.NAMES');
    return undefined;
  });
  if (why !== undefined) throw new Error(`JetStream does not answer: ${why}`);
}

/**
 * Waits until every server has everything of streams and consumer, so that the next one may be struck.
 * @returns what is missing when time is up
 */
export function whenCurrent(nc: NatsConnection, patience: Patience): Promise<string | undefined> {
  return untilTrue(patience, async () => {
    const places = await Promise.all([
      streamInfo(nc, streamName),
      consumerInfo(nc, streamName, consumerName),
      streamInfo(nc, routesStreamName),
    ]);
    return places.map(({ name, placement }) => whyNotCurrent(name, placement)).find(Boolean);
  });
}

function whyNotCurrent(name: string, placement: Placement | undefined): string | undefined {
  if (placement?.leader === undefined) return `${name} has no leader`;
  const behind = placement.followers.filter(({ isCurrent }) => !isCurrent).map((each) => each.name);
  if (behind.length > 0) return `${behind.join(' and ')} lag behind with ${name}`;
  return placement.followers.length < clusterSize - 1 ? `${name} has too few followers` : undefined;
}

/** Asks until there is no reason left against it. */
async function untilTrue(
  { timeoutMs, now }: Patience,
  whyNot: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const deadline = now() + timeoutMs;
  for (;;) {
    const why = await whyNot().catch(String);
    if (why === undefined || now() > deadline) return why;
    await Bun.sleep(50);
  }
}
