import type { Queryable } from '../statements/queryable.ts';
import { dropOldWeeks } from './drop-old-weeks.ts';
import { evictDeadLetters } from './evict-dead-letters.ts';
import { evictQuarantine } from './evict-quarantine.ts';
import { expireDelivered } from './expire-delivered.ts';
import { expireMessageKeys } from './expire-message-keys.ts';
import { foldQuarantineTotals, forgetOldTokens } from './fold-quarantine-totals.ts';
import { forgetMended } from './forget-mended.ts';
import { forgetStatusHistory } from './forget-status-history.ts';
import {
  type MaintenanceIntervals,
  type MaintenanceOptions,
  maintenanceDefaults,
} from './maintenance-contract.ts';
import { makeWeeksAhead } from './make-weeks-ahead.ts';
import { purgeTombstones } from './purge-tombstones.ts';
import type { Task } from './schedule.ts';
import { sweepStatus } from './sweep-status.ts';

/** What is done in turn; the weeks come first, since messages of a week that is not there must wait. */
export function maintenanceTasks(
  client: Queryable,
  options: MaintenanceOptions,
  intervals: MaintenanceIntervals,
): Task[] {
  return [
    ...weekTasks(client, options, intervals),
    ...expiryTasks(client, options, intervals),
    ...limitTasks(client, options, intervals),
    resting('status sweep', options.clock, intervals.sweepMs, () => sweepStatus(client, options)),
  ];
}

function weekTasks(
  client: Queryable,
  { retentionDays, wallClock, log }: MaintenanceOptions,
  { housekeepingMs, retryMs }: MaintenanceIntervals,
): Task[] {
  const { dropLockTimeoutMs: lockTimeoutMs, weeksAhead } = maintenanceDefaults;
  return [
    every('partitions ahead', housekeepingMs, async () => {
      const made = await makeWeeksAhead(client, weeksAhead);
      if (made > 0) log.info({ event: 'partitions_made_ahead', made }, 'made partitions ahead');
    }),
    {
      name: 'retention',
      run: async () => {
        const { dropped, busy } = await dropOldWeeks(client, {
          retentionDays,
          lockTimeoutMs,
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
  ];
}

/** What has had its time. */
function expiryTasks(
  client: Queryable,
  { retentionDays, quarantineDays: originalDays, quarantineLimits: limits, ...options }: MaintenanceOptions,
  { housekeepingMs }: MaintenanceIntervals,
): Task[] {
  const { keepKeysHours: keepHours, keepTombstonesDays } = maintenanceDefaults;
  return [
    every('expired keys', housekeepingMs, async () => {
      await expireDelivered(client, options.deliveredHours ?? maintenanceDefaults.deliveredHours);
      await forgetMended(client, { originalDays, limits, retentionDays });
      await expireMessageKeys(client, { keepHours, nowMs: options.wallClock() });
    }),
    every('old tombstones', housekeepingMs, () => purgeTombstones(client, keepTombstonesDays)),
    every('old counters', housekeepingMs, async () => {
      await foldQuarantineTotals(client, retentionDays);
      await forgetOldTokens(client, retentionDays);
      await forgetStatusHistory(client, retentionDays);
    }),
  ];
}

/** What has grown too large, or too old. */
function limitTasks(
  client: Queryable,
  { quarantineDays, quarantineLimits: limits, log, clock, ...options }: MaintenanceOptions,
  { evictMs }: MaintenanceIntervals,
): Task[] {
  return [
    resting('quarantine limits', clock, evictMs, async () => {
      const evicted = await evictQuarantine(client, { days: quarantineDays, limits });
      if (evicted > 0)
        log.warn({ event: 'quarantine_evicted', evicted }, 'evicted the oldest messages of the quarantine');
    }),
    resting('dead letters', clock, evictMs, async () => {
      const { deadLetterDays: days, deadLettersMaxPerTenant: maxPerTenant } = options;
      const evicted = await evictDeadLetters(client, { days, maxPerTenant });
      if (evicted > 0)
        log.warn({ event: 'dead_letters_evicted', evicted }, 'evicted the oldest dead letters');
    }),
  ];
}

function every(name: string, intervalMs: number, work: () => Promise<unknown>): Task {
  return {
    name,
    run: async () => {
      await work();
      return intervalMs;
    },
  };
}

/** The longer it took, the longer it rests, so that it never takes more than its part of the database. */
function resting(name: string, clock: () => number, atLeastMs: number, work: () => Promise<unknown>): Task {
  return {
    name,
    run: async () => {
      const startedAt = clock();
      await work();
      return Math.max(atLeastMs, (clock() - startedAt) * maintenanceDefaults.sweepRest);
    },
  };
}
