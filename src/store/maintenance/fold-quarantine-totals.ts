import type { Queryable } from '../statements/queryable.ts';

/** Sums the counters of days long past up under one day, so that their number is bounded. @returns how many went. */
export async function foldQuarantineTotals(db: Queryable, keepDays: number): Promise<number> {
  const { rows } = await db.query<{ folded: number }>({
    text: `
      with past as (
        delete from quarantine_totals where isfinite(day) and day < (now() at time zone 'UTC')::date - $1::int
        returning *
      ),
      folded as (
        insert into quarantine_totals as known (budget, reason, day, quarantined, evicted, replayed, purged)
        select budget, reason, date '-infinity', sum(quarantined), sum(evicted), sum(replayed), sum(purged)
        from past group by budget, reason order by budget collate "C", reason collate "C"
        on conflict (budget, reason, day) do update set
          quarantined = known.quarantined + excluded.quarantined, evicted = known.evicted + excluded.evicted,
          replayed = known.replayed + excluded.replayed, purged = known.purged + excluded.purged
      )
      select count(*)::int as folded from past`,
    values: [keepDays],
  });
  return rows[0]?.folded ?? 0;
}

/** Forgets which tokens devices had long ago. @returns how many. */
export async function forgetOldTokens(db: Queryable, keepDays: number): Promise<number> {
  const { rowCount } = await db.query({
    text: `delete from device_token_history where replaced_at < now() - $1 * interval '1 day'`,
    values: [keepDays],
  });
  return rowCount ?? 0;
}
