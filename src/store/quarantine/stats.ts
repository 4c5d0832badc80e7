import { isoTime } from '../listings/conditions.ts';
import type { Queryable } from '../statements/queryable.ts';
import { keptBytes } from './kept-bytes.ts';

/** What went into the quarantine for one reason, and what became of it. */
export interface QuarantineStats {
  /** Null: tenants that were not registered, together. */
  readonly tenant_id: string | null;
  readonly reason: string;
  /** Rows that are there now. */
  readonly held: number;
  /** Of their envelopes, and of what these were mended with. */
  readonly held_bytes: bigint;
  readonly oldest_arrived_at: string | null;
  /** Since the beginning. */
  readonly quarantined: bigint;
  /** Not kept for want of room, or taken out by the limits. */
  readonly evicted: bigint;
  readonly replayed: bigint;
  readonly purged: bigint;
  /** The last day, `YYYY-MM-DD` in UTC, that anything was quarantined; null: long ago. */
  readonly last_day: string | null;
}

/** By tenant and reason. @param tenantId undefined: all */
export async function selectQuarantineStats(
  db: Queryable,
  tenantId: string | undefined,
): Promise<QuarantineStats[]> {
  const { rows } = await db.query<QuarantineStats>({
    text: `
      with held as (
        select budget, reason, count(*)::int as held, sum(${keptBytes})::bigint as bytes,
               ${isoTime('min(arrived_at)')} as oldest
        from quarantine where $1::text is null or budget = $1 group by budget, reason
      ),
      totals as (
        select budget, reason, sum(quarantined)::bigint as quarantined, sum(evicted)::bigint as evicted,
               sum(replayed)::bigint as replayed, sum(purged)::bigint as purged,
               max(day) filter (where quarantined > 0 and isfinite(day))::text as last_day
        from quarantine_totals where $1::text is null or budget = $1 group by budget, reason
      )
      select nullif(budget, '') as tenant_id, reason, coalesce(held, 0) as held, coalesce(bytes, 0)::bigint as held_bytes,
             oldest as oldest_arrived_at, coalesce(quarantined, 0)::bigint as quarantined,
             coalesce(evicted, 0)::bigint as evicted, coalesce(replayed, 0)::bigint as replayed,
             coalesce(purged, 0)::bigint as purged, last_day
      from held full join totals using (budget, reason)
      order by budget, reason`,
    values: [tenantId ?? null],
  });
  return rows;
}
