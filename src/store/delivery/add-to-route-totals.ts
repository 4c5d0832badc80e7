import type { Queryable } from '../statements/queryable.ts';

/** What delivery counts, in jobs. */
export interface DeliveryCounts {
  readonly routeId: number;
  readonly tenantId: string;
  readonly delivered: number;
  readonly retried: number;
  readonly dead: number;
}

// Sorted, so that two transactions on one shard wait for each other and never deadlock.
const text = `
insert into route_totals as t (route_id, shard, tenant_id, delivered, retried, dead)
select route_id, $1, tenant_id, delivered, retried, dead
from unnest($2::int[], $3::text[], $4::int[], $5::int[], $6::int[]) as c (route_id, tenant_id, delivered, retried, dead)
order by route_id
on conflict (route_id, shard) do update set
  delivered = t.delivered + excluded.delivered, retried = t.retried + excluded.retried, dead = t.dead + excluded.dead`;

/** Routes distinct within the call. */
export async function addToRouteTotals(
  db: Queryable,
  shard: number,
  counts: readonly DeliveryCounts[],
): Promise<void> {
  if (counts.length === 0) return;
  await db.query({
    name: 'add-delivery-totals',
    text,
    values: [
      shard,
      counts.map(({ routeId }) => routeId),
      counts.map(({ tenantId }) => tenantId),
      counts.map(({ delivered }) => delivered),
      counts.map(({ retried }) => retried),
      counts.map(({ dead }) => dead),
    ],
  });
}
