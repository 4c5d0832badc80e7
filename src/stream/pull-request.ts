import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { newInbox } from './connection.ts';

/** How a pull request ended before it was filled. */
export type PullEnd =
  /** Its time was up: ask again. */
  | { readonly kind: 'expired' }
  /** Something happened to the consumer, its leader or the server: look before asking again. */
  | { readonly kind: 'interrupted'; readonly reason: string };

export interface PullRequestOptions {
  readonly nc: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  readonly expiresMs: number;
  readonly heartbeatMs: number;
  /** Monotonic, in ms. */
  readonly clock: () => number;
  readonly onMessage: (message: Msg) => void;
  /** Every message of the request has come, or as many as its bytes hold. */
  readonly onFilled: () => void;
  readonly onEnd: (end: PullEnd) => void;
}

const nsPerMs = 1_000_000;
const status = { heartbeat: 100, notFound: 404, requestTimeout: 408 } as const;

/** The next message does not fit into what is left of a request's `max_bytes`. */
const bytesUsedUp = 'Message Size Exceeds MaxBytes';

/**
 * Since 2.10 it follows the last message of a request that asked for bytes, too, and has some left. The next request is
 * open by then, and nothing is wrong with it.
 */
const filledBefore = 'Batch Completed';

/**
 * One pull request at a time on an inbox of its own, so that messages and statuses are its own beyond doubt
 * and what is still to come (`remaining`) is exact: JetStream gives messages to waiting requests in turn, and
 * several requests on one inbox could not be told apart.
 */
export class PullRequest {
  /** Messages still to come; 0: no request is open. */
  remaining = 0;
  /** When something was last heard of the open request: a message, a heartbeat, or its start. */
  lastHeardMs = 0;
  readonly #options: PullRequestOptions;
  #subscription: Subscription | undefined;

  constructor(options: PullRequestOptions) {
    this.#options = options;
  }

  open(batch: number, maxBytes: number): void {
    const { nc, stream, consumer, expiresMs, heartbeatMs, clock } = this.#options;
    this.#subscription ??= nc.subscribe(newInbox(nc), {
      callback: (error, message) => (error === null ? this.#receive(message) : this.#failed(error)),
    });
    this.remaining = batch;
    this.lastHeardMs = clock();
    nc.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
      JSON.stringify({
        batch,
        max_bytes: maxBytes,
        expires: expiresMs * nsPerMs,
        idle_heartbeat: heartbeatMs * nsPerMs,
      }),
      { reply: this.#subscription.getSubject() },
    );
  }

  /** Forgets the open request; an answer to it finds nobody. What may come on its inbox is delivered again later. */
  abandon(): void {
    this.remaining = 0;
    if (!this.#options.nc.isClosed()) this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  /** Asks for nothing more; resolves when what was on its way has come. */
  async drain(): Promise<void> {
    this.remaining = 0;
    if (this.#subscription !== undefined && !this.#options.nc.isClosed()) await this.#subscription.drain();
    this.#subscription = undefined;
  }

  #receive(message: Msg): void {
    this.lastHeardMs = this.#options.clock();
    if (message.reply?.startsWith('$JS.ACK.')) {
      this.remaining = Math.max(0, this.remaining - 1);
      this.#options.onMessage(message);
      if (this.remaining === 0) this.#options.onFilled();
      return;
    }
    const code = message.headers?.code ?? 0;
    if (code === status.heartbeat || message.headers?.status.endsWith(filledBefore)) return;
    this.remaining = 0;
    if (message.headers?.status.endsWith(bytesUsedUp)) this.#options.onFilled();
    else if (code === status.requestTimeout || code === status.notFound)
      this.#options.onEnd({ kind: 'expired' });
    else this.#options.onEnd({ kind: 'interrupted', reason: message.headers?.status ?? 'no status' });
  }

  #failed(error: Error): void {
    this.remaining = 0;
    this.#subscription = undefined;
    this.#options.onEnd({ kind: 'interrupted', reason: error.message });
  }
}
