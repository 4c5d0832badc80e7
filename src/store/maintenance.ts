import type pg from 'pg';
import type { Logger } from 'pino';
import type { QuarantineLimits } from '../model/quarantine-limits.ts';
import { type Alone, startAlone } from './alone.ts';
import { dropOldWeeks } from './maintenance/drop-old-weeks.ts';
import { evictDeadLetters } from './maintenance/evict-dead-letters.ts';
import { evictQuarantine } from './maintenance/evict-quarantine.ts';
import { expireDelivered } from './maintenance/expire-delivered.ts';
import { expireMessageKeys } from './maintenance/expire-message-keys.ts';
import { foldQuarantineTotals, forgetOldTokens } from './maintenance/fold-quarantine-totals.ts';
import { forgetMended } from './maintenance/forget-mended.ts';
import { forgetStatusHistory } from './maintenance/forget-status-history.ts';
import { makeWeeksAhead } from './maintenance/make-weeks-ahead.ts';
import { purgeTombstones } from './maintenance/purge-tombstones.ts';
import { createSchedule, type Task } from './maintenance/schedule.ts';
import { sweepStatus } from './maintenance/sweep-status.ts';
import type { Queryable } from './statements/queryable.ts';

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
  /** How long it is known what was delivered; 24. */
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
  /** A cache that is further behind loads the registry anew. */
  keepTombstonesDays: 30,
  weeksAhead: 2,
  dropLockTimeoutMs: 100,
} as const;

export type Maintenance = Alone;

/** Any constant does, as long as every process takes the same. */
const maintenanceLock = 7_710_240_002;

/** Does what has to be done from time to time, in one process of all that start it. */
export function startMaintenance(options: MaintenanceOptions): Maintenance {
  const intervals = { ...maintenanceDefaults.intervals, ...options.intervals };
  const { pool, log, clock } = options;
  return startAlone({
    pool,
    lock: maintenanceLock,
    standbyMs: intervals.standbyMs,
    serve: async (client, turn) => {
      log.info({ event: 'maintenance_active' }, 'this process does the maintenance of the database');
      const schedule = createSchedule(
        [...tasks(client, options, intervals), ...(options.tasks?.(client) ?? [])],
        {
          clock,
          afterFailureMs: intervals.retryMs,
          onFailure: async (task, error) => {
            log.warn(
              { event: 'maintenance_failed', err: error, task },
              'maintenance failed: trying again later',
            );
            // A lost connection has lost the lock: this throws and ends the service.
            await client.query('select 1');
          },
        },
      );
      while (!turn.stopped) await turn.wait(await schedule.runDue());
    },
    onInterrupted: (error) =>
      log.warn(
        { event: 'maintenance_interrupted', err: error },
        'maintenance lost the database: trying again',
      ),
  });
}

function tasks(client: pg.Client, options: MaintenanceOptions, intervals: MaintenanceIntervals): Task[] {
  const { log, clock, wallClock, retentionDays, quarantineDays, quarantineLimits } = options;
  const { housekeepingMs, sweepMs, evictMs, retryMs } = intervals;
  const { dropLockTimeoutMs, keepKeysHours, keepTombstonesDays, sweepRest, weeksAhead } = maintenanceDefaults;
  return [
    {
      name: 'partitions ahead',
      run: async () => {
        const made = await makeWeeksAhead(client, weeksAhead);
        if (made > 0) log.info({ event: 'partitions_made_ahead', made }, 'made partitions ahead');
        return housekeepingMs;
      },
    },
    {
      name: 'retention',
      run: async () => {
        const { dropped, busy } = await dropOldWeeks(client, {
          retentionDays,
          lockTimeoutMs: dropLockTimeoutMs,
          nowMs: wallClock(),
        });
        if (dropped.length > 0)
          log.info(
            { event: 'partitions_dropped', weeks: dropped },
            'dropped telemetry older than the retention',
          );
        return busy.length > 0 ? retryMs : housekeepingMs;
      },
    },
    {
      name: 'expired keys',
      run: async () => {
        await expireDelivered(client, options.deliveredHours ?? 24);
        await forgetMended(client, { originalDays: quarantineDays, limits: quarantineLimits, retentionDays });
        await expireMessageKeys(client, { keepHours: keepKeysHours, nowMs: wallClock() });
        return housekeepingMs;
      },
    },
    {
      name: 'old tombstones',
      run: async () => {
        await purgeTombstones(client, keepTombstonesDays);
        return housekeepingMs;
      },
    },
    {
      name: 'quarantine limits',
      run: async () => {
        const startedAt = clock();
        const evicted = await evictQuarantine(client, { days: quarantineDays, limits: quarantineLimits });
        if (evicted > 0)
          log.warn({ event: 'quarantine_evicted', evicted }, 'evicted the oldest messages of the quarantine');
        return Math.max(evictMs, (clock() - startedAt) * sweepRest);
      },
    },
    {
      name: 'dead letters',
      run: async () => {
        const startedAt = clock();
        const { deadLetterDays: days, deadLettersMaxPerTenant: maxPerTenant } = options;
        const evicted = await evictDeadLetters(client, { days, maxPerTenant });
        if (evicted > 0)
          log.warn({ event: 'dead_letters_evicted', evicted }, 'evicted the oldest dead letters');
        return Math.max(evictMs, (clock() - startedAt) * sweepRest);
      },
    },
    {
      name: 'old counters',
      run: async () => {
        await foldQuarantineTotals(client, retentionDays);
        await forgetOldTokens(client, retentionDays);
        await forgetStatusHistory(client, retentionDays);
        return housekeepingMs;
      },
    },
    {
      name: 'status sweep',
      run: async () => {
        const startedAt = clock();
        await sweepStatus(client, options);
        return Math.max(sweepMs, (clock() - startedAt) * sweepRest);
      },
    },
  ];
}
