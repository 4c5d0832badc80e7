import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { PublisherMetrics } from '../observe/publisher.ts';
import type { ServerWatch } from './server-watch.ts';

/** Why a publish did not succeed. */
export type PublishFailure =
  /** Too many messages or bytes under way: nothing was sent. */
  | 'overloaded'
  /** No connection to NATS. */
  | 'disconnected'
  /** No PubAck before the deadline. */
  | 'timeout'
  /** The stream, or the server's storage, has reached its limit. */
  | 'stream_full'
  /** The tenant's subject has reached its limit; others go on. */
  | 'tenant_full'
  /** Larger than the server or the stream takes. */
  | 'too_large'
  /** No stream listens to the subject. */
  | 'no_stream'
  /** Anything else that JetStream answered. */
  | 'refused';

export type PublishResult =
  | {
      readonly ok: true;
      readonly seq: number;
      /** JetStream had this id from an earlier `publish`; `seq` is the stored message's. */
      readonly duplicate: boolean;
    }
  | {
      readonly ok: false;
      readonly why: PublishFailure;
      /** false: the outcome is unknown, the message may have been stored. */
      readonly known: boolean;
      /** What the server said, for the log. */
      readonly detail?: string;
    };

export interface Publisher {
  /**
   * Publishes and waits for the PubAck. Never throws. After a reconnect the same bytes go out again under the
   * same id, until the deadline.
   *
   * @param subject printable ASCII without spaces
   * @param data text goes out as UTF-8; bytes are kept until the outcome is there: do not change them
   * @param msgId `Nats-Msg-Id`: printable ASCII without spaces
   * @param settledTo whom the worker tells what became of it: see `settledSubject`
   * @param traceparent the span that publishes it, for the worker's
   */
  publish(
    subject: string,
    data: string | Uint8Array,
    msgId: string,
    settledTo?: string,
    traceparent?: string,
  ): Promise<PublishResult>;
  /** Messages under way. */
  readonly inFlight: number;
  /** For how long the connection has been away, in ms; 0 while it is there. */
  readonly disconnectedForMs: number;
  /** Takes nothing more and waits until every publish has its outcome. */
  drain(): Promise<void>;
}

export interface PublisherOptions {
  /** Connected. */
  readonly nc: NatsConnection;
  /** The stream that must answer; a PubAck from any other counts as `refused`. */
  readonly stream: string;
  readonly publishTimeoutMs: number;
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  /** Asked before each publish: the configured limits of the stream lie below the server's. Absent: always room. */
  readonly room?: { take(subject: string, bytes: number): 'stream_full' | 'tenant_full' | undefined };
  /** Told whether JetStream answers through the server of the moment. */
  readonly server?: ServerWatch;
  readonly log: Logger;
  /** Monotonic, in ms. */
  readonly clock?: () => number;
  readonly metrics?: PublisherMetrics;
}

export const publisherDefaults = {
  /** After this long without a connection, what was never sent is answered at once. */
  disconnectGraceMs: 1_000,
  /** Between two tries while JetStream is not there yet. */
  retryDelayMs: 100,
  /** How often deadlines are looked at. */
  sweepMs: 25,
} as const;
