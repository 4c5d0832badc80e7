import type pg from 'pg';
import type { Logger } from 'pino';
import type { DeliveryMetrics } from '../observe/delivery.ts';
import type { Puller } from '../stream/puller-contract.ts';
import { type BreakerOptions, breakerDefaults } from './breaker.ts';
import { type DispatcherLimits, type DownPlace, dispatcherDefaults } from './dispatcher.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { RouteBook } from './route-book.ts';

export interface DeliveryTuning {
  readonly limits: DispatcherLimits;
  readonly breaker: BreakerOptions;
  readonly retry: RetryPolicy;
  /** How long a row of the schedule is this process’s own; made longer for as long as it is held. */
  readonly leaseMs: number;
  /** A parcel that has waited in memory for so long goes back to the schedule. */
  readonly maxQueuedMs: number;
  readonly sweepMs: number;
  /** How often changed routes are looked for. */
  readonly routesPollMs: number;
  /** How often the schedule is looked at while nothing is known to be due. */
  readonly idleMs: number;
  /** Between two looks while more is due than there was room for. */
  readonly busyMs: number;
  /** How often routes are looked for that are gone while jobs of theirs wait. */
  readonly tidyMs: number;
  /** Jobs of one route that may wait for an attempt. */
  readonly maxWaiting: number;
  /** Outcomes that wait for the database; beyond, nothing more is taken from ROUTES. */
  readonly maxUnsettled: number;
  readonly maxHeldBytes: number;
  /** How long a drain may wait for attempts under way. */
  readonly drainMs: number;
}

export const deliveryDefaults: DeliveryTuning = {
  limits: dispatcherDefaults,
  breaker: breakerDefaults,
  retry: { baseMs: 2_000, maxMs: 3_600_000, retryForMs: 26 * 3_600_000 },
  leaseMs: 12_000,
  maxQueuedMs: 5_000,
  sweepMs: 1_000,
  routesPollMs: 500,
  idleMs: 500,
  busyMs: 20,
  tidyMs: 5_000,
  maxWaiting: 1_000_000,
  maxUnsettled: 2_000,
  maxHeldBytes: 64 * 1024 * 1024,
  drainMs: 8_000,
};

export interface DeliveryOptions {
  readonly puller: Puller;
  readonly pool: pg.Pool;
  readonly book: RouteBook;
  readonly metrics: DeliveryMetrics;
  readonly tuning: DeliveryTuning;
  readonly ackWaitMs: number;
  /** Of `route_totals`. */
  readonly shard: number;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

export interface DeliveryState {
  readonly attempting: number;
  readonly queued: number;
  readonly unsettled: number;
  readonly openBreakers: number;
}

export interface Delivery {
  current(): DeliveryState;
  /** Destinations that are left alone. */
  down(): DownPlace[];
  /** Rejects with an error that no retry mends. */
  readonly failed: Promise<never>;
  /** Takes nothing more, ends the attempts under way, gives the rest back. */
  drain(): Promise<void>;
}
