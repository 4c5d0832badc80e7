import type { Queryable } from '../statements/queryable.ts';

export interface Removal {
  /** A whole `where` clause, or nothing. */
  readonly where: string;
  readonly values: readonly unknown[];
  /** Under which counter they go. */
  readonly as: 'evicted' | 'purged';
  /** Rows at most, the oldest first. */
  readonly limit: number;
}

/**
 * Deletes rows and counts them, in one statement. The ledger is not touched: a message that was quarantined was so, and
 * the audit's sum stays exact. What a replay has in hand is left to it. @returns how many went.
 */
export async function removeQuarantined(
  db: Queryable,
  { where, values, as, limit }: Removal,
): Promise<number> {
  const { rows } = await db.query<{ removed: number }>({
    text: `
      with doomed as materialized (
        select quarantine_id from quarantine ${where}
        order by quarantine_id limit ${Math.trunc(limit)} for update skip locked
      ),
      gone as (
        delete from quarantine q using doomed d where q.quarantine_id = d.quarantine_id
        returning q.budget, q.reason, (q.quarantined_at at time zone 'UTC')::date as day
      ),
      counted as (
        insert into quarantine_totals as known (budget, reason, day, ${as})
        select budget, reason, day, count(*) from gone
        group by budget, reason, day order by budget collate "C", reason collate "C", day
        on conflict (budget, reason, day) do update set ${as} = known.${as} + excluded.${as}
      )
      select count(*)::int as removed from gone`,
    values: [...values],
  });
  return rows[0]?.removed ?? 0;
}
