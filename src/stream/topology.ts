import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import { canCluster } from './durability.ts';
import { apiErrCode, isApiError, JetStreamApiError, requestApi } from './jetstream-api.ts';
import { consumerInfo, orMissing, streamInfo } from './stream-info.ts';
import {
  type Definition,
  differences,
  type TopologyOptions,
  type WantedConsumer,
  wantedConsumers,
  wantedStreams,
} from './topology-definitions.ts';

export { type TopologyOptions, topologyDefaults } from './topology-definitions.ts';

export interface TopologyItem {
  readonly name: string;
  /** `created`: it was missing and has been made; `updated`: it differed and is now as wanted. */
  readonly state: 'ok' | 'created' | 'differs' | 'updated' | 'missing';
  /** One entry per field, as found: `max_bytes is 1024, wanted 4096`. */
  readonly differences: readonly string[];
}

export interface TopologyReport {
  readonly streams: readonly TopologyItem[];
  readonly consumers: readonly (TopologyItem & { readonly stream: string })[];
}

/** The server will not have the streams as they are wanted. */
export class TopologyRefusedError extends Error {
  override readonly name = 'TopologyRefusedError';
}

/**
 * Makes the streams and consumers that are missing. What is there is never changed: where it differs, the
 * report says how. Any number of processes may do this at once.
 *
 * @throws TopologyRefusedError when the server refuses a definition, with the limit and the remedy
 */
export async function ensureTopology(nc: NatsConnection, options: TopologyOptions): Promise<TopologyReport> {
  return walk(nc, options, 'ensure');
}

/** Compares and changes nothing. */
export async function checkTopology(nc: NatsConnection, options: TopologyOptions): Promise<TopologyReport> {
  return walk(nc, options, 'check');
}

/**
 * Makes what is missing and changes what differs. Messages stay; limits below what is there refuse new ones.
 *
 * @throws TopologyRefusedError when the server refuses a definition, as for a change of storage or retention
 */
export async function updateTopology(nc: NatsConnection, options: TopologyOptions): Promise<TopologyReport> {
  return walk(nc, options, 'update');
}

type Mode = 'check' | 'ensure' | 'update';

async function walk(nc: NatsConnection, options: TopologyOptions, mode: Mode): Promise<TopologyReport> {
  const streams: TopologyItem[] = [];
  for (const wanted of wantedStreams(options)) streams.push(await visitStream(nc, wanted, mode));
  const consumers: (TopologyItem & { stream: string })[] = [];
  for (const wanted of wantedConsumers(options)) {
    consumers.push({ stream: wanted.stream, ...(await visitConsumer(nc, wanted, mode)) });
  }
  return { streams, consumers };
}

async function visitStream(nc: NatsConnection, wanted: Definition, mode: Mode): Promise<TopologyItem> {
  const name = String(wanted.name);
  const live = await orMissing(streamInfo(nc, name));
  if (live !== undefined) {
    return settle(mode, compared(name, wanted, live.config), () =>
      requestApi(nc, `STREAM.UPDATE.${name}`, { ...live.config, ...wanted }).catch((error: unknown) => {
        throw explained(error, `change the stream ${name}`, wanted);
      }),
    );
  }
  if (mode === 'check') return { name, state: 'missing', differences: [] };
  try {
    await requestApi(nc, `STREAM.CREATE.${name}`, { ...wanted, ...signed(nc) });
  } catch (error) {
    // Somebody else made it in between, with other settings.
    if (isApiError(error, apiErrCode.streamNameInUse)) {
      return compared(name, wanted, (await streamInfo(nc, name)).config);
    }
    throw explained(error, `make the stream ${name}`, wanted);
  }
  return { name, state: 'created', differences: [] };
}

/**
 * In a cluster every attempt has a definition of its own, so that of several roles that make the stream at once one does
 * and the others are refused. Of two that ask for the same, nats-server 2.10 grants both, with two times of creation: one
 * holds until a server restarts, then the other, and it read as another life of the stream (docs/proof.md).
 */
function signed(nc: NatsConnection): { metadata?: Readonly<Record<string, string>> } {
  const { cluster, version = '' } = nc.info ?? {};
  return cluster !== undefined && canCluster(version) ? { metadata: { made_by: randomUUID() } } : {};
}

async function visitConsumer(nc: NatsConnection, wanted: WantedConsumer, mode: Mode): Promise<TopologyItem> {
  const { stream, name, config } = wanted;
  const put = (definition: Definition) =>
    requestApi(nc, `CONSUMER.DURABLE.CREATE.${stream}.${name}`, { stream_name: stream, config: definition });
  // Looked at first: creating one that exists would change it.
  const live = await orMissing(consumerInfo(nc, stream, name));
  if (live !== undefined) {
    return settle(mode, compared(name, config, live.config), () =>
      put({ ...live.config, ...config }).catch((error: unknown) => {
        throw explained(error, `change the consumer ${name}`, config);
      }),
    );
  }
  if (mode === 'check') return { name, state: 'missing', differences: [] };
  await put(config);
  return { name, state: 'created', differences: [] };
}

async function settle(
  mode: Mode,
  found: TopologyItem,
  update: () => Promise<unknown>,
): Promise<TopologyItem> {
  if (mode !== 'update' || found.state !== 'differs') return found;
  await update();
  return { ...found, state: 'updated' };
}

function compared(name: string, wanted: Definition, live: Definition): TopologyItem {
  const found = differences(wanted, live);
  return { name, state: found.length === 0 ? 'ok' : 'differs', differences: found };
}

function explained(error: unknown, what: string, wanted: Definition): unknown {
  if (!(error instanceof JetStreamApiError)) return error;
  const remedy = remedyFor(error, wanted);
  return new TopologyRefusedError(`Cannot ${what}: ${error.message}. ${remedy}`, { cause: error });
}

function remedyFor(error: JetStreamApiError, wanted: Definition): string {
  switch (error.errCode) {
    case apiErrCode.insufficientStorage:
    case apiErrCode.insufficientResources:
      return `It asks for max_bytes ${wanted.max_bytes}: set TRIBUTARY_STREAM_MAX_BYTES lower, or give nats-server more (jetstream { max_file_store }).`;
    case apiErrCode.replicasNotSupported:
      return `It asks for ${wanted.num_replicas} replicas: set TRIBUTARY_STREAM_REPLICAS to 1, or use a cluster of that size.`;
    default:
      return 'Compare its definition with `tributary topology --check`.';
  }
}
