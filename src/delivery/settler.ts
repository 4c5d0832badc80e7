import type pg from 'pg';
import type { Logger } from 'pino';
import { type BackoffOptions, backoffMs } from '../lib/backoff.ts';
import { withDeadline } from '../lib/deadline.ts';
import { createWaker } from '../lib/waker.ts';
import { classify } from '../store/errors.ts';
import { settleBatch } from './settle-batch.ts';
import { messagesOf, type Settlement } from './settlement.ts';

export interface SettlerOptions {
  readonly pool: pg.Pool;
  /** Of `route_totals`. */
  readonly shard: number;
  /** After COMMIT and ack. */
  readonly onSettled: (settled: readonly Settlement[]) => void;
  /** Not settled: JetStream will deliver again, or the lease will run out. */
  readonly onGivenBack: (settlements: readonly Settlement[]) => void;
  readonly log: Logger;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

export const settlerDefaults = {
  /** Settlements in one transaction at most. */
  maxBatch: 500,
  retry: { baseMs: 50, maxMs: 3_000 } satisfies BackoffOptions,
  /** What is given back comes again after this time. */
  giveBackMs: 1_000,
} as const;

/**
 * Writes down what became of jobs, many in one transaction, and acknowledges after COMMIT. What the database cannot take
 * now is tried again for as long as it takes; a row that it never takes costs that row.
 */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #queue: Settlement[] = [];
  readonly #work = createWaker();
  readonly #stopping = Promise.withResolvers<void>();
  readonly #waiting = new Set<() => void>();
  #busy = 0;
  #stopped = false;
  /** Rejects with an error that no retry mends. */
  readonly done: Promise<void>;

  constructor(options: SettlerOptions) {
    this.#options = options;
    this.done = this.#run();
    this.done.catch(() => undefined);
  }

  get pending(): number {
    return this.#queue.length + this.#busy;
  }

  /** Never waits: whoever takes on more work looks at `below` first. */
  add(settlement: Settlement): void {
    this.#queue.push(settlement);
    if (this.#queue.length === 1) setImmediate(() => this.#work.wake());
  }

  /** Resolves when no more than that are pending; also at the end. */
  below(limit: number): Promise<void> {
    if (this.pending <= limit || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (this.pending > limit && !this.#stopped) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** Settles what is pending; what cannot be settled within the time is given back. */
  async drain(deadlineMs: number): Promise<void> {
    await withDeadline(Promise.race([this.below(0), this.done]), deadlineMs, () => undefined).catch(
      () => undefined,
    );
    this.#stopped = true;
    this.#stopping.resolve();
    this.#work.wake();
    await this.done.catch(() => undefined);
  }

  async #run(): Promise<void> {
    for (;;) {
      const batch = this.#queue.splice(0, settlerDefaults.maxBatch);
      this.#busy = batch.length;
      if (batch.length > 0) await this.#settle(batch);
      this.#busy = 0;
      for (const look of this.#waiting) look();
      if (this.#queue.length > 0) continue;
      if (this.#stopped) return;
      await this.#work.wait(60_000);
    }
  }

  async #settle(batch: readonly Settlement[]): Promise<void> {
    const { pool, shard, log, random, onSettled } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      if (attempt > 0 && this.#stopped) return this.#giveBack(batch);
      try {
        await settleBatch(pool, shard, batch);
        break;
      } catch (error) {
        const disposition = classify(error);
        if (disposition === 'fatal') throw error;
        if (disposition === 'row') return this.#settleApart(batch, error);
        const delayMs = backoffMs(attempt, settlerDefaults.retry, random);
        const about = { event: 'delivery_settle_retry', attempt, delayMs, error: String(error) };
        log.warn(about, 'what became of jobs could not be written: trying again');
        await Promise.race([Bun.sleep(delayMs), this.#stopping.promise]);
      }
    }
    for (const settlement of batch) for (const message of messagesOf(settlement)) message.ack();
    onSettled(batch);
  }

  async #settleApart(batch: readonly Settlement[], error: unknown): Promise<void> {
    if (batch.length === 1) {
      const about = { event: 'delivery_row_refused', jobId: batch[0]?.parcel.id, err: error };
      this.#options.log.error(about, 'the database refuses to take down what became of a job');
      return this.#giveBack(batch);
    }
    const half = Math.ceil(batch.length / 2);
    await this.#settle(batch.slice(0, half));
    await this.#settle(batch.slice(half));
  }

  #giveBack(batch: readonly Settlement[]): void {
    for (const settlement of batch) {
      for (const message of messagesOf(settlement)) message.nak(settlerDefaults.giveBackMs);
    }
    this.#options.onGivenBack(batch);
  }
}
