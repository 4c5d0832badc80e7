import type { Queryable } from '../statements/queryable.ts';

/** What to add to the counters of one budget and reason. */
export interface QuarantineTotals {
  /** A tenant, or '' for all unknown ones. */
  readonly budget: string;
  readonly reason: string;
  /** The day that the messages were quarantined, `YYYY-MM-DD` in UTC; default: today. */
  readonly day?: string;
  readonly quarantined?: number;
  readonly evicted?: number;
  readonly replayed?: number;
}

// Sorted, so that transactions that count the same reasons cannot deadlock.
const text = `
insert into quarantine_totals as known (budget, reason, day, quarantined, evicted, replayed)
select budget, reason, coalesce(day, (now() at time zone 'UTC')::date) as day, quarantined, evicted, replayed
from unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[])
  as added (budget, reason, day, quarantined, evicted, replayed)
order by budget collate "C", reason collate "C", 3
on conflict (budget, reason, day) do update set
  quarantined = known.quarantined + excluded.quarantined,
  evicted = known.evicted + excluded.evicted,
  replayed = known.replayed + excluded.replayed`;

/** Counts what went into the quarantine or out of it. Budget, reason and day distinct within the call. */
export async function addToQuarantineTotals(
  db: Queryable,
  added: readonly QuarantineTotals[],
): Promise<void> {
  await db.query({
    name: 'add-to-quarantine-totals',
    text,
    values: [
      added.map((each) => each.budget),
      added.map((each) => each.reason),
      added.map((each) => each.day ?? null),
      added.map((each) => each.quarantined ?? 0),
      added.map((each) => each.evicted ?? 0),
      added.map((each) => each.replayed ?? 0),
    ],
  });
}
