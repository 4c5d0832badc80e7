import type { NatsConnection } from '@nats-io/nats-core';
import { apiErrCode, isApiError, requestApi } from './jetstream-api.ts';
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
  /** `created`: it was missing and has been made. */
  readonly state: 'ok' | 'created' | 'differs' | 'missing';
  /** One entry per field: `max_bytes is 1024, wanted 4096`. */
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
  return walk(nc, options, true);
}

/** Compares and changes nothing. */
export async function checkTopology(nc: NatsConnection, options: TopologyOptions): Promise<TopologyReport> {
  return walk(nc, options, false);
}

async function walk(nc: NatsConnection, options: TopologyOptions, create: boolean): Promise<TopologyReport> {
  const streams: TopologyItem[] = [];
  for (const wanted of wantedStreams(options)) streams.push(await visitStream(nc, wanted, create));
  const consumers: (TopologyItem & { stream: string })[] = [];
  for (const wanted of wantedConsumers(options)) {
    consumers.push({ stream: wanted.stream, ...(await visitConsumer(nc, wanted, create)) });
  }
  return { streams, consumers };
}

async function visitStream(nc: NatsConnection, wanted: Definition, create: boolean): Promise<TopologyItem> {
  const name = String(wanted.name);
  const live = await orMissing(streamInfo(nc, name));
  if (live !== undefined) return compared(name, wanted, live.config);
  if (!create) return { name, state: 'missing', differences: [] };
  try {
    await requestApi(nc, `STREAM.CREATE.${name}`, wanted);
  } catch (error) {
    // Somebody else made it in between, with other settings.
    if (!isApiError(error, apiErrCode.streamNameInUse)) throw explained(error, wanted);
    return compared(name, wanted, (await streamInfo(nc, name)).config);
  }
  return { name, state: 'created', differences: [] };
}

async function visitConsumer(
  nc: NatsConnection,
  wanted: WantedConsumer,
  create: boolean,
): Promise<TopologyItem> {
  const { stream, name, config } = wanted;
  // Looked at first: creating one that exists would change it.
  const live = await orMissing(consumerInfo(nc, stream, name));
  if (live !== undefined) return compared(name, config, live.config);
  if (!create) return { name, state: 'missing', differences: [] };
  await requestApi(nc, `CONSUMER.DURABLE.CREATE.${stream}.${name}`, { stream_name: stream, config });
  return { name, state: 'created', differences: [] };
}

function compared(name: string, wanted: Definition, live: Definition): TopologyItem {
  const found = differences(wanted, live);
  return { name, state: found.length === 0 ? 'ok' : 'differs', differences: found };
}

function explained(error: unknown, wanted: Definition): unknown {
  const message = error instanceof Error ? error.message : String(error);
  const refuse = (remedy: string) =>
    new TopologyRefusedError(`Cannot make the stream ${wanted.name}: ${message}. ${remedy}`, {
      cause: error,
    });
  if (
    isApiError(error, apiErrCode.insufficientStorage) ||
    isApiError(error, apiErrCode.insufficientResources)
  ) {
    return refuse(
      `It asks for max_bytes ${wanted.max_bytes}: set TRIBUTARY_STREAM_MAX_BYTES lower, or give nats-server more (jetstream { max_file_store }).`,
    );
  }
  if (isApiError(error, apiErrCode.replicasNotSupported)) {
    return refuse(
      `It asks for ${wanted.num_replicas} replicas: set TRIBUTARY_STREAM_REPLICAS to 1, or use a cluster of that size.`,
    );
  }
  return error;
}
