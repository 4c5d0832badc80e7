import type { PubAck } from './pub-ack.ts';
import type { FramedPublish } from './publish-frames.ts';
import type { PublishResult } from './publisher-contract.ts';

export type Refusal = Extract<PubAck, { stored: false }>;

/** One publish on its way, from `publish()` to its outcome. */
export interface PendingPublish extends FramedPublish {
  readonly token: number;
  /** With the header: what the server counts against its `max_payload`. */
  readonly bytes: number;
  readonly startedMs: number;
  readonly deadlineMs: number;
  /** How often it was handed to the connection. */
  sends: number;
  /** How many of these nobody answered: while there is one, the message may be stored. */
  unanswered: number;
  /** The last answer, when it was no. */
  refusal: Refusal | undefined;
  readonly resolve: (result: PublishResult) => void;
}

/**
 * What waits for its PubAck, oldest first; since all have the same time to live, that is the order of their
 * deadlines too.
 *
 * What timed out on a connection that still stands may yet lie in the socket's buffer, which has no limit of
 * its own. It therefore goes on counting against the bounds (`stalled`) until the server has read past it.
 */
export class PendingPublishes {
  bytes = 0;
  stalledBytes = 0;
  stalledCount = 0;
  readonly #byToken = new Map<number, PendingPublish>();
  #lastToken = 0;
  #retries: { readonly publish: PendingPublish; readonly atMs: number }[] = [];

  get count(): number {
    return this.#byToken.size;
  }

  exceeds(bound: { count: number; bytes: number }, extraBytes: number): boolean {
    return (
      this.count + this.stalledCount >= bound.count ||
      this.bytes + this.stalledBytes + extraBytes > bound.bytes
    );
  }

  nextToken(): number {
    this.#lastToken++;
    return this.#lastToken;
  }

  add(publish: PendingPublish): void {
    this.#byToken.set(publish.token, publish);
    this.bytes += publish.bytes;
  }

  get(token: number): PendingPublish | undefined {
    return this.#byToken.get(token);
  }

  has(publish: PendingPublish): boolean {
    return this.#byToken.has(publish.token);
  }

  /** Safe to delete from while it is walked. */
  values(): IterableIterator<PendingPublish> {
    return this.#byToken.values();
  }

  delete(publish: PendingPublish): void {
    if (this.#byToken.delete(publish.token)) this.bytes -= publish.bytes;
  }

  retryAt(publish: PendingPublish, atMs: number): void {
    this.#retries.push({ publish, atMs });
  }

  takeDueRetries(nowMs: number): PendingPublish[] {
    if (this.#retries.length === 0) return [];
    const due = this.#retries.filter(({ atMs }) => atMs <= nowMs);
    if (due.length > 0) this.#retries = this.#retries.filter(({ atMs }) => atMs > nowMs);
    return due.map(({ publish }) => publish);
  }

  clearRetries(): void {
    this.#retries = [];
  }

  markStalled(publish: PendingPublish): void {
    this.stalledCount++;
    this.stalledBytes += publish.bytes;
  }

  clearStalled(): void {
    this.stalledCount = 0;
    this.stalledBytes = 0;
  }
}

/** What becomes of a publish whose last answer was no. */
export function refusedResult(publish: PendingPublish): PublishResult {
  const { refusal, unanswered } = publish;
  if (refusal === undefined) return { ok: false, why: 'timeout', known: unanswered === 0 };
  const { why, detail } = refusal;
  return { ok: false, why, known: refusal.known && unanswered === 0, detail };
}
