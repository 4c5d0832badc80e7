import type pg from 'pg';
import type { Logger } from 'pino';
import { extendLeases } from '../store/delivery/settle-leased.ts';
import { describeError } from './outcome.ts';
import type { Parcel } from './parcel.ts';

export interface LeasesOptions {
  readonly pool: pg.Pool;
  readonly leaseMs: number;
  readonly log: Logger;
}

/**
 * The rows of the schedule that this process works on. A lease is short, so that the rows of a process that was killed
 * are soon somebody else's, and is made longer for as long as a row is held.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #held = new Map<string, Parcel>();
  /** Held since before the last round: younger ones have time. */
  #old = new Set<string>();
  #extending: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#extending ??= this.#extend().finally(() => {
        this.#extending = undefined;
      });
    }, options.leaseMs / 4);
  }

  hold(parcel: Parcel): void {
    this.#held.set(keyOf(parcel), parcel);
  }

  release(parcel: Parcel): void {
    const key = keyOf(parcel);
    // By now it may be leased again.
    if (this.#held.get(key) !== parcel) return;
    this.#held.delete(key);
    this.#old.delete(key);
  }

  async drain(): Promise<void> {
    clearInterval(this.#timer);
    await this.#extending;
  }

  async #extend(): Promise<void> {
    const { pool, leaseMs, log } = this.#options;
    const held = [...this.#old].flatMap((key) => this.#held.get(key) ?? []);
    const rows = held.map(({ routeId, id: jobId }) => ({ routeId, jobId }));
    this.#old = new Set(this.#held.keys());
    try {
      await extendLeases(pool, rows, leaseMs);
    } catch (error) {
      // Another process may then deliver them too, once the database is back.
      log.warn({ event: 'leases_not_extended', error: describeError(error) }, 'leases could not be extended');
    }
  }
}

function keyOf({ routeId, id }: Parcel): string {
  return `${routeId} ${id}`;
}
