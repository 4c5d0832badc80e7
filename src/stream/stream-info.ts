import type { NatsConnection } from '@nats-io/nats-core';
import {
  apiErrCode,
  isApiError,
  type JsonObject,
  numberOf,
  objectOf,
  requestApi,
  stringOf,
} from './jetstream-api.ts';

export interface StreamInfo {
  readonly name: string;
  /** When it was made, as the server writes it: another value is another stream, whatever its numbers say. */
  readonly created: string;
  readonly state: {
    readonly messages: number;
    readonly bytes: number;
    /** 0 for a stream that never held a message. */
    readonly firstSeq: number;
    /** The last sequence assigned; it stays when the messages are gone. */
    readonly lastSeq: number;
    /** When the oldest message that it holds was stored, in ms since the epoch; undefined: it holds none. */
    readonly firstAtMs: number | undefined;
    readonly consumers: number;
    /** How many subjects have messages. */
    readonly subjects: number;
  };
  readonly replicas: number;
  /** Which servers keep it; undefined: one that is in no cluster. */
  readonly placement: Placement | undefined;
  readonly maxBytes: number;
  readonly maxPerSubject: number;
  /** The definition in the server's own spelling. */
  readonly config: JsonObject;
}

/** How the servers that keep a stream or a consumer stand, as its leader sees them. */
export interface Placement {
  /** Undefined: an election is under way. */
  readonly leader: string | undefined;
  readonly followers: readonly {
    readonly name: string;
    /** It has everything that the leader has. */
    readonly isCurrent: boolean;
  }[];
}

export interface ConsumerInfo {
  readonly name: string;
  readonly created: string;
  /** Stream sequence last delivered. */
  readonly deliveredSeq: number;
  /** Deliveries so far, repeated ones included. */
  readonly deliveries: number;
  /** Stream sequence up to which everything is acknowledged. */
  readonly ackFloorSeq: number;
  /** Delivered and not acknowledged. */
  readonly ackPending: number;
  /** In the stream and not delivered yet. */
  readonly pending: number;
  readonly redelivered: number;
  /** Pull requests that wait at the server. */
  readonly waiting: number;
  readonly placement: Placement | undefined;
  /** The definition in the server's own spelling. */
  readonly config: JsonObject;
}

/** @throws JetStreamApiError: `streamNotFound` when there is none of this name. */
export async function streamInfo(nc: NatsConnection, stream: string): Promise<StreamInfo> {
  return parseStreamInfo(await requestApi(nc, `STREAM.INFO.${stream}`));
}

/** Messages by subject. @throws JetStreamApiError: `streamNotFound`. */
export async function subjectCounts(
  nc: NatsConnection,
  stream: string,
): Promise<ReadonlyMap<string, number>> {
  const { state } = await requestApi(nc, `STREAM.INFO.${stream}`, { subjects_filter: '>' });
  const subjects = objectOf(objectOf(state).subjects);
  return new Map(Object.entries(subjects).map(([subject, messages]) => [subject, numberOf(messages)]));
}

/** How many messages of one subject the stream holds. @throws JetStreamApiError: `streamNotFound`. */
export async function messagesOf(nc: NatsConnection, stream: string, subject: string): Promise<number> {
  const { state } = await requestApi(nc, `STREAM.INFO.${stream}`, { subjects_filter: subject });
  return numberOf(objectOf(objectOf(state).subjects)[subject] ?? 0);
}

/** @throws JetStreamApiError: `consumerNotFound` or `streamNotFound`. */
export async function consumerInfo(
  nc: NatsConnection,
  stream: string,
  consumer: string,
): Promise<ConsumerInfo> {
  return parseConsumerInfo(await requestApi(nc, `CONSUMER.INFO.${stream}.${consumer}`));
}

/** `undefined` in place of a "not found". */
export async function orMissing<T>(info: Promise<T>): Promise<T | undefined> {
  try {
    return await info;
  } catch (error) {
    if (isApiError(error, apiErrCode.streamNotFound) || isApiError(error, apiErrCode.consumerNotFound)) {
      return undefined;
    }
    throw error;
  }
}

function parseStreamInfo(answer: JsonObject): StreamInfo {
  const config = objectOf(answer.config);
  const state = objectOf(answer.state);
  return {
    name: stringOf(config.name),
    created: stringOf(answer.created),
    state: {
      messages: numberOf(state.messages),
      bytes: numberOf(state.bytes),
      firstSeq: numberOf(state.first_seq),
      lastSeq: numberOf(state.last_seq),
      firstAtMs: numberOf(state.messages) === 0 ? undefined : timeOf(state.first_ts),
      consumers: numberOf(state.consumer_count),
      subjects: numberOf(state.num_subjects),
    },
    replicas: numberOf(config.num_replicas),
    placement: parsePlacement(answer.cluster),
    maxBytes: numberOf(config.max_bytes),
    maxPerSubject: numberOf(config.max_msgs_per_subject),
    config,
  };
}

function timeOf(value: unknown): number | undefined {
  const timeMs = Date.parse(stringOf(value));
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function parseConsumerInfo(answer: JsonObject): ConsumerInfo {
  return {
    name: stringOf(answer.name),
    created: stringOf(answer.created),
    deliveredSeq: numberOf(objectOf(answer.delivered).stream_seq),
    deliveries: numberOf(objectOf(answer.delivered).consumer_seq),
    ackFloorSeq: numberOf(objectOf(answer.ack_floor).stream_seq),
    ackPending: numberOf(answer.num_ack_pending),
    pending: numberOf(answer.num_pending),
    redelivered: numberOf(answer.num_redelivered),
    waiting: numberOf(answer.num_waiting),
    placement: parsePlacement(answer.cluster),
    config: objectOf(answer.config),
  };
}

function parsePlacement(cluster: unknown): Placement | undefined {
  if (cluster === undefined) return undefined;
  const { leader, replicas } = objectOf(cluster);
  const followers = (Array.isArray(replicas) ? replicas : []).map(objectOf);
  return {
    leader: stringOf(leader) || undefined,
    followers: followers.map(({ name, current, offline }) => ({
      name: stringOf(name),
      isCurrent: current === true && offline !== true,
    })),
  };
}
