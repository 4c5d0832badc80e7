import type { QuarantineLimits, QuarantineShare } from '../../model/quarantine-limits.ts';
import { unknownBudget } from '../../model/quarantine-limits.ts';
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
  for (const usage of await selectUsage(db, days)) {
    const share = usage.budget === unknownBudget ? limits.unknown : limits.tenant;
    const isOver = usage.rows > share.rows || usage.bytes > share.bytes;
    if (!isOver && !usage.expired) continue;
    const upTo = isOver ? await selectCutoff(db, usage.budget, share) : 0n;
    for (;;) {
      const removed = await removeQuarantined(db, {
        where: `where budget = $1
          and (quarantine_id <= $2::bigint or quarantined_at < now() - $3::float8 * interval '1 day')`,
        values: [usage.budget, upTo, days],
        as: 'evicted',
        limit: rowsPerChunk,
      });
      if (removed === 0) break;
      evicted += removed;
    }
  }
  return evicted;
}

/** Reads the table, but none of the envelopes: their lengths stand beside them. */
async function selectUsage(db: Queryable, days: number): Promise<Usage[]> {
  const { rows } = await db.query<Usage>({
    text: `select budget, count(*)::float8 as rows, sum(octet_length(envelope))::float8 as bytes,
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
          sum(octet_length(envelope)) over newest_first as bytes
        from quarantine where budget = $1
        window newest_first as (order by quarantine_id desc)
      ) counted where rows > $2 or bytes > $3`,
    values: [budget, share.rows, share.bytes],
  });
  return rows[0]?.cutoff ?? 0n;
}
