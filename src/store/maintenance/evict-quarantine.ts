import type { QuarantineLimits, QuarantineShare } from '../../model/quarantine-limits.ts';
import { unknownBudget } from '../../model/quarantine-limits.ts';
import { keptBytes } from '../quarantine/kept-bytes.ts';
import { removeQuarantined } from '../quarantine/remove-quarantined.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface EvictOptions {
  /** How long a message is kept. */
  readonly days: number;
  readonly limits: QuarantineLimits;
  readonly rowsPerChunk?: number;
}

interface Usage extends QuarantineShare {
  readonly budget: string;
  /** Holds rows that are too old. */
  readonly expired: boolean;
}

/** Takes what is too old or too much out of the quarantine, the oldest of a budget first. @returns how many rows. */
export async function evictQuarantine(
  db: Queryable,
  { days, limits, rowsPerChunk = 2_000 }: EvictOptions,
): Promise<number> {
  let evicted = 0;
  // Conditions of their own each: by the one the index leads to the rows, by the other it has to look at all.
  const evict = async (budget: string, condition: string, bound: unknown) => {
    const where = `where budget = $1 and ${condition}`;
    for (;;) {
      const removal = { where, values: [budget, bound], as: 'evicted', limit: rowsPerChunk } as const;
      const removed = await removeQuarantined(db, removal);
      evicted += removed;
      // Fewer than asked for: what is left is in somebody's hands, and has time until the next look.
      if (removed < rowsPerChunk) return;
    }
  };
  for (const { budget, rows, bytes, expired } of await selectUsage(db, days)) {
    const share = budget === unknownBudget ? limits.unknown : limits.tenant;
    if (rows > share.rows || bytes > share.bytes)
      await evict(budget, 'quarantine_id <= $2::bigint', await selectCutoff(db, budget, share));
    if (expired) await evict(budget, `quarantined_at < now() - $2::float8 * interval '1 day'`, days);
  }
  return evicted;
}

/** Reads the table, but none of the envelopes: their lengths stand beside them. */
async function selectUsage(db: Queryable, days: number): Promise<Usage[]> {
  const { rows } = await db.query<Usage>({
    text: `select budget, count(*)::float8 as rows, sum(${keptBytes})::float8 as bytes,
        bool_or(quarantined_at < now() - $1::float8 * interval '1 day') as expired
      from quarantine group by budget order by budget`,
    values: [days],
  });
  return rows;
}

/** The newest row of a budget that is beyond its share, counted from the newest; 0 where none is. */
async function selectCutoff(db: Queryable, budget: string, share: QuarantineShare): Promise<bigint> {
  const { rows } = await db.query<{ cutoff: bigint }>({
    text: `select coalesce(max(quarantine_id), 0)::bigint as cutoff from (
        select quarantine_id, row_number() over newest_first as rows,
          sum(${keptBytes}) over newest_first as bytes
        from quarantine where budget = $1
        window newest_first as (order by quarantine_id desc)
      ) counted where rows > $2 or bytes > $3`,
    values: [budget, share.rows, share.bytes],
  });
  return rows[0]?.cutoff ?? 0n;
}
