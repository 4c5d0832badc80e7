import { sqlstateOf } from '../errors.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface DropOptions {
  /** Weeks that ended longer ago than this are dropped. */
  readonly retentionDays: number;
  /**
   * How long to wait for those who use the table, in ms. Whoever comes meanwhile queues behind, inserts too, so it is
   * short; a week that is not to be had stays until the next time.
   */
  readonly lockTimeoutMs: number;
  /**
   * What the caller's wall clock says, in ms since the epoch. Of it and the database's the earlier counts: one clock that
   * was set wrong deletes nothing that is still promised. Default: the database's alone.
   */
  readonly nowMs?: number;
}

export interface DroppedWeeks {
  readonly dropped: Date[];
  /** In use: to be tried again. */
  readonly busy: Date[];
}

const lockNotAvailable = '55P03';

/** Drops the partitions that retention has no use for, each in a transaction of its own. */
export async function dropOldWeeks(
  db: Queryable,
  { retentionDays, lockTimeoutMs, nowMs }: DropOptions,
): Promise<DroppedWeeks> {
  const { rows } = await db.query<{ week: Date }>({
    text: `select week from telemetry_weeks
      where week + interval '7 days' <= least(now(), $2::timestamptz) - $1 * interval '1 day' order by week`,
    values: [retentionDays, nowMs === undefined ? null : new Date(nowMs)],
  });
  const result: DroppedWeeks = { dropped: [], busy: [] };
  for (const { week } of rows) {
    try {
      // Several statements in one text are one transaction.
      await db.query({
        text: `set local lock_timeout = ${Math.ceil(lockTimeoutMs)};
          select drop_telemetry_partition('${week.toISOString()}')`,
      });
      result.dropped.push(week);
    } catch (error) {
      if (sqlstateOf(error) !== lockNotAvailable) throw error;
      result.busy.push(week);
    }
  }
  return result;
}
