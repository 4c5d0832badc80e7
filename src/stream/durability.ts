import type { NatsConnection } from '@nats-io/nats-core';
import { objectOf } from './jetstream-api.ts';
import { orMissing, streamInfo } from './stream-info.ts';

/**
 * What a PubAck is worth, weakest first.
 *
 * - `process-crash-safe`: written to the operating system. Losing power may lose the last of it.
 * - `power-loss-safe`: on the disk (`sync_interval: always`).
 * - `replicated`: on most of at least three servers, of a version whose replicas stay the same (see `oldestForClusters`).
 */
export type DurabilityClass = 'process-crash-safe' | 'power-loss-safe' | 'replicated';

export interface Durability {
  readonly class: DurabilityClass;
  /** Whether the server syncs before it acknowledges; `unknown`: nobody could say, and the weaker class counts. */
  readonly sync: 'always' | 'later' | 'unknown';
  readonly replicas: number;
  readonly serverVersion: string;
}

const askMs = 2_000;
const quorum = 3;

/**
 * Replicas of 2.9.10 drift apart when a leader is cut off, or servers are restarted one after the other: what the next
 * leader holds has other sequences, and messages twice (docs/cluster.md).
 */
export const oldestForClusters = '2.10.0';

/**
 * Reads the durability that is in force from the server. Undefined: there is no stream yet.
 * @param monitorUrl the server's monitoring address, `http://host:8222`; INFO does not tell how it syncs
 * @throws what a request to JetStream throws; a monitoring address that does not answer only leaves `sync` unknown
 */
export async function readDurability(
  nc: NatsConnection,
  stream: string,
  monitorUrl: string | undefined,
): Promise<Durability | undefined> {
  const info = await orMissing(streamInfo(nc, stream));
  if (info === undefined) return undefined;
  const sync = monitorUrl === undefined ? 'unknown' : await readSync(monitorUrl);
  const { replicas } = info;
  const serverVersion = nc.info?.version ?? 'unknown';
  return { class: classOf(sync, replicas, serverVersion), sync, replicas, serverVersion };
}

export function classOf(sync: Durability['sync'], replicas: number, serverVersion: string): DurabilityClass {
  if (replicas >= quorum && canCluster(serverVersion)) return 'replicated';
  return sync === 'always' ? 'power-loss-safe' : 'process-crash-safe';
}

/** Whether servers of this version keep their replicas the same; a version that cannot be read does not count as one. */
export function canCluster(serverVersion: string): boolean {
  return /^\d+\.\d+/.test(serverVersion) && Bun.semver.order(serverVersion, oldestForClusters) >= 0;
}

/** In words: `process-crash-safe (sync unknown, 1 replica, nats-server 2.9.10)`. */
export function describeDurability({ class: name, sync, replicas, serverVersion }: Durability): string {
  const copies = `${replicas} replica${replicas === 1 ? '' : 's'}`;
  return `${name} (sync ${sync}, ${copies}, nats-server ${serverVersion})`;
}

async function readSync(monitorUrl: string): Promise<Durability['sync']> {
  try {
    const url = `${monitorUrl.replace(/\/$/, '')}/varz`;
    const response = await fetch(url, { signal: AbortSignal.timeout(askMs) });
    if (!response.ok) return 'unknown';
    return syncOf(await response.json());
  } catch {
    return 'unknown';
  }
}

/**
 * `/varz` has the server's `JetStreamConfig` as `jetstream.config`: `max_storage` (bytes) in every version; since 2.10
 * `sync_interval` (ns) and, only where it is true, `sync_always`. In nats-io/nats-server these are the JSON names of
 * `JetStreamConfig` in server/jetstream.go, which server/monitor.go's `JetStreamVarz` holds; pull request 4483 brought both
 * for 2.10.0, and they are the same in 2.11 and in the sources after that. `sync_interval: always` in the configuration
 * sets `sync_always`, with limits given or found by the server. Servers before 2.10 say nothing of it: they cannot sync
 * before the ack.
 */
export function syncOf(varz: unknown): Durability['sync'] {
  const config = objectOf(objectOf(objectOf(varz).jetstream).config);
  if (config.sync_always === true) return 'always';
  return typeof config.max_storage === 'number' ? 'later' : 'unknown';
}
