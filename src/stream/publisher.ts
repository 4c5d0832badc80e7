import type { Msg, Subscription } from '@nats-io/nats-core';
import { newInbox } from './connection.ts';
import { type PendingPublish, PendingPublishes, refusedResult } from './pending-publishes.ts';
import { createPongProbe } from './pong-probe.ts';
import { readPubAck } from './pub-ack.ts';
import { headerBytes, headerLines, sendPublishes } from './publish-frames.ts';
import {
  type Publisher,
  type PublisherOptions,
  type PublishFailure,
  type PublishResult,
  publisherDefaults,
} from './publisher-contract.ts';
import { watchConnection } from './watch-connection.ts';

export type { Publisher, PublisherOptions, PublishFailure, PublishResult } from './publisher-contract.ts';
export { publisherDefaults } from './publisher-contract.ts';

export function createPublisher(options: PublisherOptions): Publisher {
  return new AckedPublisher(options);
}

/** What subjects and message ids may be made of: they stand in the protocol's lines. */
const wordPattern = /^[\x21-\x7e]+$/;

/**
 * Acked publishing over core NATS with one reply inbox; the last token of the reply subject is the publish's
 * number, in base 36.
 *
 * Invariants:
 * - `ok: true` only for a PubAck of the wanted stream with a sequence number.
 * - Every publish settles exactly once: by an answer, by its deadline, or when the connection is closed.
 * - `known: true` only when nothing was sent, or every send was answered with a no.
 * - Nothing is handed to the connection while it is known to be away: the client would drop it at reconnect.
 *   At reconnect everything pending is sent, in the order in which it came.
 */
class AckedPublisher implements Publisher {
  readonly #options: PublisherOptions;
  readonly #clock: () => number;
  readonly #pending = new PendingPublishes();
  readonly #inbox: string;
  readonly #replies: Subscription;
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #probe: () => void;
  /** To be sent at the end of this turn of the event loop: together they make one write. */
  #outbox: PendingPublish[] = [];
  #disconnectedAtMs: number | undefined;
  #closed = false;
  #draining = false;
  #whenEmpty: (() => void) | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#probe = createPongProbe(options.nc, () => this.#pending.clearStalled());
    this.#inbox = newInbox(options.nc);
    this.#replies = options.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, reply) => {
        if (error === null) this.#receive(reply);
      },
    });
    this.#sweeper = setInterval(() => this.#sweep(), publisherDefaults.sweepMs);
    watchConnection(options.nc, {
      onDisconnect: () => this.#disconnected(),
      onReconnect: () => this.#reconnected(),
      onClose: () => this.#connectionClosed(),
    });
    options.metrics?.watch(() => ({ inFlight: this.inFlight, inFlightBytes: this.#pending.bytes }));
  }

  get inFlight(): number {
    return this.#pending.count;
  }

  get disconnectedForMs(): number {
    return this.#disconnectedAtMs === undefined ? 0 : this.#clock() - this.#disconnectedAtMs;
  }

  publish(
    subject: string,
    data: string | Uint8Array,
    msgId: string,
    settledTo?: string,
    traceparent?: string,
  ): Promise<PublishResult> {
    const moreHeaders = headerLines(settledTo, traceparent);
    const dataBytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    const refused = this.#refuseUnsent(subject, dataBytes, msgId);
    if (refused !== undefined) {
      this.#options.metrics?.settled(refused.why, 0);
      return Promise.resolve({ ok: false, known: true, ...refused });
    }
    const startedMs = this.#clock();
    const token = this.#pending.nextToken();
    const { promise, resolve } = Promise.withResolvers<PublishResult>();
    const publish: PendingPublish = {
      token,
      reply: `${this.#inbox}.${token.toString(36)}`,
      subject,
      data,
      dataBytes,
      msgId,
      moreHeaders,
      bytes: dataBytes + headerBytes(msgId, moreHeaders),
      startedMs,
      deadlineMs: startedMs + this.#options.publishTimeoutMs,
      sends: 0,
      unanswered: 0,
      refusal: undefined,
      resolve,
    };
    this.#pending.add(publish);
    if (this.#outbox.push(publish) === 1) setImmediate(() => this.#flush());
    return promise;
  }

  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#pending.count > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#whenEmpty = resolve;
      await promise;
    }
    clearInterval(this.#sweeper);
    if (!this.#closed) this.#replies.unsubscribe();
  }

  #refuseUnsent(
    subject: string,
    dataBytes: number,
    msgId: string,
  ): { why: PublishFailure; detail?: string } | undefined {
    if (this.#draining) return { why: 'refused', detail: 'this process is stopping' };
    if (this.#closed) return { why: 'disconnected', detail: 'the connection is closed' };
    if (!(wordPattern.test(subject) && wordPattern.test(msgId)))
      return { why: 'refused', detail: 'the subject or the message id is not printable ASCII' };
    if (this.disconnectedForMs > publisherDefaults.disconnectGraceMs) return { why: 'disconnected' };
    const { maxInFlight: count, maxInFlightBytes: bytes } = this.#options;
    if (this.#pending.exceeds({ count, bytes }, dataBytes + headerBytes(msgId, '')))
      return { why: 'overloaded' };
    // Last: it counts what it lets pass.
    const full = this.#options.room?.take(subject, dataBytes);
    return full === undefined ? undefined : { why: full };
  }

  #flush(): void {
    const batch = this.#outbox;
    this.#outbox = [];
    // Away: the reconnect sends it.
    if (this.#disconnectedAtMs !== undefined || this.#closed) return;
    // A reconnect in between may have sent it.
    this.#send(batch.filter(({ sends }) => sends === 0));
  }

  #send(publishes: Iterable<PendingPublish>): void {
    const going: PendingPublish[] = [];
    for (const publish of publishes) {
      if (!this.#mayGo(publish)) continue;
      going.push(publish);
      publish.sends++;
      publish.unanswered++;
      if (publish.sends > 1) this.#options.metrics?.resent(1);
    }
    sendPublishes(this.#options.nc, going);
  }

  /** Not when it was settled in the meantime, or when the server would close the connection over it. */
  #mayGo(publish: PendingPublish): boolean {
    if (!this.#pending.has(publish)) return false;
    const maxPayload = this.#options.nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (publish.bytes <= maxPayload) return true;
    const detail = `${publish.bytes} bytes are more than the server's max_payload of ${maxPayload}`;
    this.#settle(publish, { ok: false, why: 'too_large', known: publish.unanswered === 0, detail });
    return false;
  }

  #receive(reply: Msg): void {
    const publish = this.#pending.get(Number.parseInt(reply.subject.slice(this.#inbox.length + 1), 36));
    if (publish === undefined) return;
    const ack = readPubAck(reply);
    // Somebody else who listens to the subject and answered; JetStream's own answer is still to come.
    if (ack === undefined) return;
    publish.unanswered--;
    if (!ack.stored) {
      publish.refusal = ack;
      if (ack.passing) {
        this.#pending.retryAt(publish, this.#clock() + publisherDefaults.retryDelayMs);
      } else this.#settle(publish, refusedResult(publish));
    } else if (ack.stream !== this.#options.stream) {
      const detail = `the stream ${ack.stream} took it, not ${this.#options.stream}`;
      this.#settle(publish, { ok: false, why: 'refused', known: publish.unanswered === 0, detail });
    } else {
      // After a second send the id may be our own first one's.
      const duplicate = ack.duplicate && publish.sends === 1;
      // A leader without followers still knows what it stored before.
      if (!ack.duplicate) this.#options.server?.well();
      this.#settle(publish, { ok: true, seq: ack.seq, duplicate });
    }
  }

  #settle(publish: PendingPublish, result: PublishResult): void {
    this.#pending.delete(publish);
    const outcome = result.ok ? (result.duplicate ? 'duplicate' : 'stored') : result.why;
    this.#options.metrics?.settled(outcome, (this.#clock() - publish.startedMs) / 1_000);
    publish.resolve(result);
    if (this.#pending.count === 0) this.#whenEmpty?.();
  }

  #sweep(): void {
    const now = this.#clock();
    const givenUp = this.disconnectedForMs > publisherDefaults.disconnectGraceMs;
    for (const publish of this.#pending.values()) {
      if (publish.deadlineMs <= now) this.#expire(publish);
      else if (!givenUp) break;
      else if (publish.sends === 0) this.#settle(publish, { ok: false, why: 'disconnected', known: true });
    }
    if (this.#disconnectedAtMs !== undefined || this.#closed) return;
    this.#send(this.#pending.takeDueRetries(now));
    if (this.#pending.stalledCount > 0) this.#probe();
  }

  #expire(publish: PendingPublish): void {
    const away = this.#disconnectedAtMs !== undefined;
    if (!away) this.#options.server?.unwell();
    if (publish.refusal !== undefined && publish.unanswered === 0) {
      this.#settle(publish, refusedResult(publish));
      return;
    }
    if (!away && publish.unanswered > 0) this.#pending.markStalled(publish);
    const why = away ? 'disconnected' : 'timeout';
    this.#settle(publish, { ok: false, why, known: publish.unanswered === 0 });
  }

  #disconnected(): void {
    this.#disconnectedAtMs ??= this.#clock();
    // Gone with the socket's buffer.
    this.#pending.clearStalled();
  }

  #reconnected(): void {
    this.#disconnectedAtMs = undefined;
    this.#pending.clearRetries();
    if (this.#pending.count === 0) return;
    this.#options.log.info({ messages: this.#pending.count }, 'publishing again what waits for its PubAck');
    this.#send(this.#pending.values());
  }

  #connectionClosed(): void {
    this.#closed = true;
    this.#disconnectedAtMs ??= this.#clock();
    clearInterval(this.#sweeper);
    for (const publish of this.#pending.values()) {
      this.#settle(publish, { ok: false, why: 'disconnected', known: publish.unanswered === 0 });
    }
  }
}
