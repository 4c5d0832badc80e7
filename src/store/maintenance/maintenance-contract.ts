import type pg from 'pg';
import type { Logger } from 'pino';
import type { QuarantineLimits } from '../../model/quarantine-limits.ts';
import type { Queryable } from '../statements/queryable.ts';
import type { Task } from './schedule.ts';

export interface MaintenanceOptions {
  readonly pool: pg.Pool;
  readonly retentionDays: number;
  readonly staleAfterMs: number;
  readonly offlineAfterMs: number;
  /** How long a quarantined message is kept. */
  readonly quarantineDays: number;
  readonly quarantineLimits: QuarantineLimits;
  /** How long a dead letter is kept, and how many of a tenant. */
  readonly deadLetterDays: number;
  readonly deadLettersMaxPerTenant: number;
  /** How long it is known what was delivered. */
  readonly deliveredHours?: number;
  readonly log: Logger;
  /** Milliseconds that never go back, such as `performance.now`. */
  readonly clock: () => number;
  /** Milliseconds since the epoch: beside the database's, before anything is deleted for its age. */
  readonly wallClock: () => number;
  readonly intervals?: Partial<MaintenanceIntervals>;
  /** What else is for one process only; given the connection that holds the place. */
  readonly tasks?: (client: Queryable) => readonly Task[];
}

export interface MaintenanceIntervals {
  /** Partitions ahead, retention, expired keys. */
  readonly housekeepingMs: number;
  /** Between two sweeps of the devices' status, at least. */
  readonly sweepMs: number;
  /** Between two looks at the quarantine's limits, at least. */
  readonly evictMs: number;
  /** For retention when a week was in use, and for whatever failed. */
  readonly retryMs: number;
  /** How often a process that is not the one looks whether the place is free. */
  readonly standbyMs: number;
}

export const maintenanceDefaults = {
  intervals: {
    housekeepingMs: 3_600_000,
    sweepMs: 1_000,
    evictMs: 60_000,
    retryMs: 60_000,
    standbyMs: 5_000,
  },
  /** A sweep is followed by so many times its own duration: at a million devices too it takes 5 % of one core. */
  sweepRest: 20,
  keepKeysHours: 48,
  deliveredHours: 24,
  /** A cache that is further behind loads the registry anew. */
  keepTombstonesDays: 30,
  weeksAhead: 2,
  dropLockTimeoutMs: 100,
} as const;
