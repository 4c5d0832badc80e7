import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { PullerMetrics } from '../observe/puller.ts';
import type { PulledMessage } from './pulled-message.ts';
import type { ServerWatch } from './server-watch.ts';

export interface Puller {
  /** Resolves to 1…batchSize messages (fewer where they are large) in the order delivered; to undefined once stopped. */
  next(): Promise<PulledMessage[] | undefined>;
  /** Stops asking; what is buffered is nak'ed so that others get it at once. */
  stop(): Promise<void>;
}

export interface PullerOptions {
  /** Connected. */
  readonly nc: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  readonly batchSize: number;
  /** How long the oldest message waits for a batch to fill. */
  readonly lingerMs: number;
  /** Messages asked for and not taken yet, at most. */
  readonly maxBuffered: number;
  /** Told whether JetStream answers through the server of the moment. */
  readonly server?: ServerWatch;
  readonly log: Logger;
  /**
   * The stream or the consumer is not there: make it again. Awaited, and called again with backoff until it is
   * there; should it throw, that counts as a try. Messages of the new stream carry another `streamCreated`.
   */
  readonly onMissing?: (what: 'stream' | 'consumer') => void | Promise<void>;
  readonly metrics?: PullerMetrics;
  /** Monotonic, in ms. */
  readonly clock?: () => number;
  /** 0 ≤ x < 1, for backoff. */
  readonly random?: () => number;
}

const MiB = 1024 * 1024;

export const pullerDefaults = {
  /** A batch is handed out when it is full in messages or in bytes: to settle it takes a multiple of them. */
  maxBatchBytes: 4 * MiB,
  /** Bytes asked for and not taken yet, at most. */
  maxBufferedBytes: 32 * MiB,
  /** Bytes of one request, at least as much as a message may have. What all ask for stays below nats-server's `max_pending` of 64 MiB. */
  requestBytes: 4 * MiB,
  /** Requests that wait at JetStream at once: while one is renewed the others are served. */
  requests: 4,
  expiresMs: 30_000,
  heartbeatMs: 5_000,
  /** A request that was not heard of for so many heartbeats is lost. */
  silentHeartbeats: 2.5,
  watchEveryMs: 1_000,
  /** Without a message for so long, it is checked whether there are any. */
  idleCheckMs: 10_000,
  /** How long a stop waits for what is on its way, and for its naks to be heard. */
  goodbyeMs: 1_000,
  backoff: { baseMs: 200, maxMs: 5_000 },
} as const;
