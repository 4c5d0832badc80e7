import { routeTotalsShards } from '../routes/add-to-route-totals.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface EvictDeadLettersOptions {
  /** How long a dead letter is kept. */
  readonly days: number;
  readonly maxPerTenant: number;
  readonly rowsPerChunk?: number;
}

/** Takes dead letters that are too old, or too many of a tenant, out and counts them, the oldest first. @returns how many. */
export async function evictDeadLetters(
  db: Queryable,
  { days, maxPerTenant, rowsPerChunk = 2_000 }: EvictDeadLettersOptions,
): Promise<number> {
  let evicted = 0;
  const evict = async (tenantId: string, condition: string, bound: unknown) => {
    for (;;) {
      const { rows } = await db.query<{ evicted: number }>({
        text: evictText(condition),
        values: [tenantId, bound, rowsPerChunk, routeTotalsShards],
      });
      const removed = rows[0]?.evicted ?? 0;
      evicted += removed;
      // Fewer than asked for: what is left is in somebody's hands, and has time until the next look.
      if (removed < rowsPerChunk) return;
    }
  };
  for (const { tenant_id, letters, expired } of await selectUsage(db, days)) {
    if (letters > maxPerTenant)
      await evict(tenant_id, 'dead_letter_id <= $2::bigint', await selectCutoff(db, tenant_id, maxPerTenant));
    if (expired) await evict(tenant_id, `dead_at < now() - $2::float8 * interval '1 day'`, days);
  }
  return evicted;
}

// A shard of its own, beyond those of the workers: these transactions lock nobody's row.
const evictText = (condition: string) => `
with gone as (
  delete from dead_letters where dead_letter_id = any(array(
    select dead_letter_id from dead_letters where tenant_id = $1 and ${condition}
    order by dead_letter_id limit $3 for update skip locked
  )) returning route_id, tenant_id
), counted as (
  insert into route_totals as known (route_id, shard, tenant_id, evicted)
  select route_id, $4, min(tenant_id), count(*) from gone group by route_id order by route_id
  on conflict (route_id, shard) do update set evicted = known.evicted + excluded.evicted
)
select count(*)::int as evicted from gone`;

interface Usage {
  readonly tenant_id: string;
  readonly letters: number;
  /** Holds some that are too old. */
  readonly expired: boolean;
}

async function selectUsage(db: Queryable, days: number): Promise<Usage[]> {
  const { rows } = await db.query<Usage>({
    text: `select tenant_id, count(*)::float8 as letters,
        bool_or(dead_at < now() - $1::float8 * interval '1 day') as expired
      from dead_letters group by tenant_id order by tenant_id`,
    values: [days],
  });
  return rows;
}

/** The newest dead letter of a tenant that is beyond its share, counted from the newest. */
async function selectCutoff(db: Queryable, tenantId: string, maxPerTenant: number): Promise<bigint> {
  const { rows } = await db.query<{ cutoff: bigint }>({
    text: `select dead_letter_id as cutoff from dead_letters where tenant_id = $1
      order by dead_letter_id desc offset $2 limit 1`,
    values: [tenantId, maxPerTenant],
  });
  return rows[0]?.cutoff ?? 0n;
}
