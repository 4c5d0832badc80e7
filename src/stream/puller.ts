import { setTimeout as pause } from 'node:timers/promises';
import type { Msg } from '@nats-io/nats-core';
import { backoffMs } from '../lib/backoff.ts';
import { withDeadline } from '../lib/deadline.ts';
import { BatchBuffer } from './batch-buffer.ts';
import { CoreWriter } from './core-writer.ts';
import { numberOf } from './jetstream-api.ts';
import { type PullEnd, PullRequest } from './pull-request.ts';
import { type PulledMessage, toPulledMessage } from './pulled-message.ts';
import { type Puller, type PullerOptions, pullerDefaults } from './puller-contract.ts';
import { type ConsumerInfo, consumerInfo, orMissing, streamInfo } from './stream-info.ts';
import { watchConnection } from './watch-connection.ts';

export type { PulledMessage } from './pulled-message.ts';
export { type Puller, type PullerOptions, pullerDefaults } from './puller-contract.ts';

export function startPuller(options: PullerOptions): Puller {
  return new StreamPuller(options);
}

/** Subject and reply of a delivery, which JetStream counts too: control lines have 4 KiB at most. */
const maxAroundPayload = 16 * 1024;

/**
 * Invariants:
 * - buffered + asked for ≤ maxBuffered, in messages and in bytes, so a slow worker leaves the backlog in JetStream.
 * - Requests are only opened after a look at stream and consumer (`#look`); every cut (reconnect, status 409,
 *   silence) leads to a new look. So `streamCreated` of a message is that of the stream it came from.
 */
class StreamPuller implements Puller {
  readonly #options: PullerOptions;
  readonly #clock: () => number;
  readonly #acks: CoreWriter;
  readonly #buffer: BatchBuffer<PulledMessage>;
  readonly #requests: PullRequest[];
  readonly #requestBatch: number;
  readonly #watchdog: ReturnType<typeof setInterval>;
  #streamCreated: string | undefined;
  #consumer: ConsumerInfo | undefined;
  /** Only the latest look counts; an earlier one may still hang in a request that the outage swallowed. */
  #lookNumber = 0;
  #looking = false;
  /** Cuts by a status since a message or an expiry said that all is well. */
  #failures = 0;
  #lastMessageMs: number;
  #lastExtendedMs: number;
  #stopped = false;

  constructor(options: PullerOptions) {
    const { batchSize, lingerMs, maxBuffered } = options;
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#acks = new CoreWriter(options.nc);
    this.#lastMessageMs = this.#lastExtendedMs = this.#clock();
    this.#buffer = new BatchBuffer({
      batchSize,
      maxBatchBytes: pullerDefaults.maxBatchBytes,
      bytesOf: (message) => message.data.length,
      lingerMs,
      clock: this.#clock,
      onTaken: () => this.#fill(),
    });
    const count = Math.min(pullerDefaults.requests, maxBuffered);
    this.#requestBatch = Math.max(1, Math.floor(maxBuffered / count));
    this.#requests = Array.from({ length: count }, () => this.#createRequest());
    this.#watchdog = setInterval(() => this.#watch(), pullerDefaults.watchEveryMs);
    watchConnection(options.nc, {
      onReconnect: () => this.#cut('reconnect', 0),
      onClose: () => void this.stop(),
    });
    options.metrics?.watch(() => this.#buffer.length);
    void this.#look(0);
  }

  next(): Promise<PulledMessage[] | undefined> {
    return this.#buffer.next();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#watchdog);
    const left = this.#buffer.close();
    // A server that does not answer holds up neither this nor the flush below.
    const drained = Promise.allSettled(this.#requests.map((request) => request.drain()));
    await withDeadline(drained, pullerDefaults.goodbyeMs, () => undefined);
    if (this.#options.nc.isClosed()) return;
    for (const message of left) message.nak(0);
    this.#acks.flush();
    // While NATS is away the naks are lost, and the ack wait does their work.
    await withDeadline(this.#options.nc.flush(), pullerDefaults.goodbyeMs, () => undefined).catch(
      () => undefined,
    );
  }

  #createRequest(): PullRequest {
    const { nc, stream, consumer } = this.#options;
    return new PullRequest({
      nc,
      stream,
      consumer,
      expiresMs: pullerDefaults.expiresMs,
      heartbeatMs: pullerDefaults.heartbeatMs,
      clock: this.#clock,
      onMessage: (message) => this.#received(message),
      onFilled: () => this.#fill(),
      onEnd: (end) => this.#ended(end),
    });
  }

  #received(delivered: Msg): void {
    const message = toPulledMessage(this.#acks, delivered, this.#streamCreated ?? '');
    if (message === undefined) {
      this.#options.log.error(
        { reply: delivered.reply },
        'a delivery in an unknown form cannot be acknowledged',
      );
      return;
    }
    this.#options.metrics?.received(message.deliveryCount > 1);
    this.#lastMessageMs = this.#clock();
    this.#failures = 0;
    this.#options.server?.well();
    if (this.#stopped) message.nak(0);
    else this.#buffer.push(message);
  }

  #fill(): void {
    if (this.#stopped || this.#looking || this.#options.nc.isClosed()) return;
    const requestBytes = this.#requestBytes();
    let room = this.#options.maxBuffered - this.#buffer.length;
    let roomBytes = pullerDefaults.maxBufferedBytes - this.#buffer.bytes;
    for (const request of this.#requests) {
      room -= request.remaining;
      if (request.remaining > 0) roomBytes -= requestBytes;
    }
    for (const request of this.#requests) {
      if (room < this.#requestBatch) return;
      if (roomBytes < requestBytes && this.#buffer.length > 0) return;
      if (request.remaining > 0) continue;
      request.open(this.#requestBatch, requestBytes);
      room -= this.#requestBatch;
      roomBytes -= requestBytes;
    }
  }

  /** A request that is too small for the next message would never get it. */
  #requestBytes(): number {
    const maxPayload = this.#options.nc.info?.max_payload ?? 0;
    return Math.max(pullerDefaults.requestBytes, maxPayload + maxAroundPayload);
  }

  #ended(end: PullEnd): void {
    if (end.kind === 'expired') {
      this.#failures = 0;
      this.#options.server?.well();
      this.#fill();
    } else if (!this.#looking) {
      // One look answers for all the requests that a deleted consumer ends.
      this.#failures++;
      this.#cut(end.reason, this.#failures);
    }
  }

  #cut(reason: string, attempt: number): void {
    if (this.#stopped) return;
    this.#options.metrics?.interrupted(reason);
    this.#options.log.info({ reason }, 'deliveries were cut: looking at stream and consumer');
    for (const request of this.#requests) request.abandon();
    void this.#look(attempt);
  }

  /** Looks at stream and consumer until both are there, then asks for messages. */
  async #look(firstAttempt: number): Promise<void> {
    const number = ++this.#lookNumber;
    const isCurrent = () => number === this.#lookNumber && !this.#stopped;
    this.#looking = true;
    for (let attempt = firstAttempt; isCurrent(); attempt++) {
      if (attempt > 0) await pause(this.#backoffMs(attempt - 1), undefined, { ref: false });
      if (!isCurrent()) return;
      const missing = await this.#findMissing(isCurrent);
      if (!isCurrent()) return;
      if (missing === undefined) {
        this.#looking = false;
        this.#fill();
        return;
      }
      if (missing !== 'unknown') await this.#reportMissing(missing);
    }
  }

  async #findMissing(isCurrent: () => boolean): Promise<'stream' | 'consumer' | 'unknown' | undefined> {
    const { nc, stream, consumer, log } = this.#options;
    try {
      const liveStream = await orMissing(streamInfo(nc, stream));
      if (liveStream === undefined) return 'stream';
      const liveConsumer = await orMissing(consumerInfo(nc, stream, consumer));
      if (liveConsumer === undefined) return 'consumer';
      if (isCurrent()) {
        this.#streamCreated = liveStream.created;
        this.#consumer = liveConsumer;
      }
      return undefined;
    } catch (error) {
      // NATS is away or busy; the connection reports that.
      log.debug({ error: String(error) }, 'could not look at stream and consumer');
      if (isCurrent()) this.#options.server?.unwell();
      return 'unknown';
    }
  }

  async #reportMissing(what: 'stream' | 'consumer'): Promise<void> {
    const { log, onMissing, stream, consumer } = this.#options;
    log.warn({ stream, consumer }, `the ${what} is not there`);
    try {
      await onMissing?.(what);
    } catch (error) {
      log.warn({ error: String(error) }, `the ${what} could not be made again`);
    }
  }

  #watch(): void {
    this.#extendBuffered();
    if (this.#looking) return;
    const now = this.#clock();
    const silentMs = pullerDefaults.heartbeatMs * pullerDefaults.silentHeartbeats;
    const open = this.#requests.filter((request) => request.remaining > 0);
    if (open.some((request) => now - request.lastHeardMs > silentMs)) {
      this.#options.server?.unwell();
      this.#cut('silence', 0);
    } else if (open.length > 0 && now - this.#lastMessageMs > pullerDefaults.idleCheckMs) {
      this.#lastMessageMs = now;
      void this.#checkIdle();
    }
  }

  /** What lies in the buffer because the worker is busy must not be delivered to others meanwhile. */
  #extendBuffered(): void {
    const ackWaitMs = numberOf(this.#consumer?.config.ack_wait) / 1_000_000;
    const now = this.#clock();
    if (ackWaitMs === 0 || now - this.#lastExtendedMs < ackWaitMs / 3) return;
    this.#lastExtendedMs = now;
    for (const message of this.#buffer.items()) message.working();
  }

  /** Requests wait, heartbeats come, and yet nothing although something is there: ask again. */
  async #checkIdle(): Promise<void> {
    const { nc, stream, consumer } = this.#options;
    const since = this.#lastMessageMs;
    const info = await consumerInfo(nc, stream, consumer).catch(() => undefined);
    if (info === undefined || this.#lastMessageMs !== since || this.#looking) return;
    const isFull = info.ackPending >= numberOf(info.config.max_ack_pending);
    if (info.pending > 0 && !isFull) this.#cut('idle with messages pending', 0);
  }

  #backoffMs(attempt: number): number {
    return backoffMs(attempt, pullerDefaults.backoff, this.#options.random ?? Math.random);
  }
}
