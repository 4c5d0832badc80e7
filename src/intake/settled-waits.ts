import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import type { Fate } from '../model/fate.ts';
import type { Receipt } from '../model/receipt.ts';
import { parseSettledNotice, type SettledNotice } from '../model/settled-notice.ts';
import { settledSubjects, settledToAddress } from '../stream/subjects.ts';

/*
 * Who waits for a message gives it an address, in a header; the worker that settles it answers there on core NATS. A
 * notice can get lost, with a connection or a worker that dies after COMMIT, and none comes for a message that JetStream
 * knew already: then the database is asked, for all that wait in one query.
 */

export interface SettledWait {
  /** For `IncomingMessage.settledTo`. */
  readonly settledTo: string;
  /**
   * Resolves to what became of the message; undefined when it has no outcome after `timeoutMs`, when `gone` is aborted,
   * or when the door drains. Ends the wait.
   */
  settled(receipt: Receipt, timeoutMs: number, gone: AbortSignal): Promise<SettledFate | undefined>;
  /** For a message that was not accepted. */
  close(): void;
}

export type SettledFate = Exclude<Fate, { readonly status: 'queued' }>;

export interface SettledWaits {
  /** Undefined: too many wait already, or the door drains; the answer then comes at once. */
  open(): SettledWait | undefined;
  readonly waiting: number;
  /** Ends all waits. */
  drain(): void;
}

export interface SettledWaitsOptions {
  readonly nc: NatsConnection;
  /** Of this door. */
  readonly id: string;
  /** What the database says of each, in their order; rejects while it is away. */
  readonly find: (receipts: readonly Receipt[]) => Promise<readonly Fate[]>;
  readonly maxWaiting?: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export const settledWaitsDefaults = {
  maxWaiting: 5_000,
  /** The database is asked for what has waited so long without a notice, and again after as long. */
  lookAfterMs: 1_000,
  sweepMs: 100,
  /** Asked for in one query. */
  maxLooks: 500,
} as const;

interface Waiter {
  receipt: Receipt | undefined;
  /** Came before we knew under which number the message is stored. */
  early: SettledNotice | undefined;
  /** What the notice said, where only the database can say it whole. */
  told: SettledFate | undefined;
  lookAtMs: number;
  resolve: (fate: SettledFate | undefined) => void;
}

export function startSettledWaits(options: SettledWaitsOptions): SettledWaits {
  return new Waits(options);
}

class Waits implements SettledWaits {
  readonly #options: SettledWaitsOptions;
  readonly #waiters = new Map<number, Waiter>();
  readonly #notices: Subscription;
  #last = 0;
  #draining = false;
  #looking = false;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: SettledWaitsOptions) {
    this.#options = options;
    this.#notices = options.nc.subscribe(settledSubjects(options.id), {
      callback: (error, message) => {
        if (error !== null) return;
        const waiter = this.#waiters.get(Number.parseInt(message.subject.split('.').at(-1) ?? '', 36));
        const notice = waiter === undefined ? undefined : parseSettledNotice(message.string());
        if (waiter !== undefined && notice !== undefined) this.#hear(waiter, notice);
      },
    });
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  open(): SettledWait | undefined {
    const { maxWaiting = settledWaitsDefaults.maxWaiting, id } = this.#options;
    if (this.#draining || this.#waiters.size >= maxWaiting) return undefined;
    this.#last += 1;
    const number = this.#last;
    const { promise, resolve } = Promise.withResolvers<SettledFate | undefined>();
    const waiter: Waiter = { receipt: undefined, early: undefined, told: undefined, lookAtMs: 0, resolve };
    this.#waiters.set(number, waiter);
    const close = () => {
      this.#waiters.delete(number);
      if (this.#waiters.size > 0) return;
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    };
    return {
      settledTo: settledToAddress(id, number),
      close,
      settled: async (receipt, timeoutMs, gone) => {
        const end = () => resolve(undefined);
        const timer = setTimeout(() => resolve(waiter.told), timeoutMs);
        gone.addEventListener('abort', end, { once: true });
        try {
          if (gone.aborted || this.#draining) return undefined;
          this.#expect(waiter, receipt, timeoutMs);
          return await promise;
        } finally {
          clearTimeout(timer);
          gone.removeEventListener('abort', end);
          close();
        }
      },
    };
  }

  drain(): void {
    this.#draining = true;
    for (const waiter of this.#waiters.values()) waiter.resolve(undefined);
    if (!this.#options.nc.isClosed()) this.#notices.unsubscribe();
  }

  #expect(waiter: Waiter, receipt: Receipt, timeoutMs: number): void {
    const { lookAfterMs, sweepMs } = settledWaitsDefaults;
    waiter.receipt = receipt;
    // A short wait, too, has a look before it is over; of a message that was known already nobody else will tell.
    const lookInMs = receipt.repeated ? 0 : Math.min(lookAfterMs, timeoutMs / 2);
    waiter.lookAtMs = this.#options.now() + lookInMs;
    this.#sweeper ??= setInterval(() => void this.#look(), sweepMs);
    if (waiter.early !== undefined) this.#hear(waiter, waiter.early);
    if (receipt.repeated) void this.#look();
  }

  #hear(waiter: Waiter, notice: SettledNotice): void {
    const { receipt } = waiter;
    if (receipt === undefined) {
      waiter.early = notice;
      return;
    }
    // Of another send of it, or somebody else's joke.
    if (receipt.repeated || notice.seq !== receipt.seq) return;
    if (notice.outcome === 'stored') waiter.resolve({ status: 'stored', time: notice.time });
    else if (notice.outcome === 'quarantined')
      waiter.resolve({ status: 'quarantined', rejection: notice.rejection });
    else {
      if (notice.outcome === 'duplicate') waiter.told = { status: 'duplicate', firstTime: undefined };
      waiter.lookAtMs = 0;
      void this.#look();
    }
  }

  /** One query at a time: while the database is slow, those that wait are asked for less often. */
  async #look(): Promise<void> {
    const startedMs = this.#options.now();
    const due: Waiter[] = [];
    for (const waiter of this.#waiters.values()) {
      if (waiter.receipt !== undefined && waiter.lookAtMs <= startedMs) due.push(waiter);
      if (due.length === settledWaitsDefaults.maxLooks) break;
    }
    if (this.#looking || due.length === 0) return;
    this.#looking = true;
    const fates = await this.#options
      .find(due.flatMap(({ receipt }) => receipt ?? []))
      .catch(() => undefined);
    this.#looking = false;
    for (const [index, waiter] of due.entries()) {
      const fate = fates?.[index];
      if (fate !== undefined && fate.status !== 'queued') waiter.resolve(fate);
      else if (waiter.told !== undefined) waiter.resolve(waiter.told);
      else waiter.lookAtMs = this.#options.now() + settledWaitsDefaults.lookAfterMs;
    }
  }
}
