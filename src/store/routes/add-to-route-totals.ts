import type { Queryable } from '../statements/queryable.ts';

/** What is added to a route's counters; what is not named stays. */
export interface RouteCounts {
  readonly routeId: number;
  readonly tenantId: string;
  readonly matched?: number;
  readonly conditionErrors?: number;
  readonly published?: number;
  readonly delivered?: number;
  readonly retried?: number;
  readonly dead?: number;
  readonly evicted?: number;
  readonly replayed?: number;
  readonly purged?: number;
}

/** Shards of a route's counters: enough that processes seldom meet on one row. */
export const routeTotalsShards = 16;

const text = `
insert into route_totals as known (route_id, shard, tenant_id, matched, condition_errors, published, delivered, retried,
                                   dead, evicted, replayed, purged)
select route_id, $1, tenant_id, matched, condition_errors, published, delivered, retried, dead, evicted, replayed, purged
from unnest($2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
            $10::bigint[], $11::bigint[], $12::bigint[])
  as added (route_id, tenant_id, matched, condition_errors, published, delivered, retried, dead, evicted, replayed, purged)
order by route_id
on conflict (route_id, shard) do update set
  matched = known.matched + excluded.matched, condition_errors = known.condition_errors + excluded.condition_errors,
  published = known.published + excluded.published, delivered = known.delivered + excluded.delivered,
  retried = known.retried + excluded.retried, dead = known.dead + excluded.dead,
  evicted = known.evicted + excluded.evicted, replayed = known.replayed + excluded.replayed,
  purged = known.purged + excluded.purged`;

/**
 * Counts, in the transaction that brings it about and last before its COMMIT: the rows are hot.
 * @param counts routes distinct within the call
 */
export async function addToRouteTotals(
  db: Queryable,
  shard: number,
  counts: readonly RouteCounts[],
): Promise<void> {
  const column = (of: (each: RouteCounts) => number | undefined) => counts.map((each) => of(each) ?? 0);
  await db.query({
    name: 'add-to-route-totals',
    text,
    values: [
      shard,
      counts.map((each) => each.routeId),
      counts.map((each) => each.tenantId),
      column((each) => each.matched),
      column((each) => each.conditionErrors),
      column((each) => each.published),
      column((each) => each.delivered),
      column((each) => each.retried),
      column((each) => each.dead),
      column((each) => each.evicted),
      column((each) => each.replayed),
      column((each) => each.purged),
    ],
  });
}
