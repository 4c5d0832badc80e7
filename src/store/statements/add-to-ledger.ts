import type { Queryable } from './queryable.ts';

export interface OutcomeCounts {
  readonly stored: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly internal: number;
}

/** Shards of a ledger epoch: enough that workers seldom meet on one row. */
export const ledgerShards = 16;

const text = `
insert into ledger as known (epoch, shard, stored, duplicates, quarantined, internal)
values ($1, $2, $3, $4, $5, $6)
on conflict (epoch, shard) do update set
  stored = known.stored + excluded.stored,
  duplicates = known.duplicates + excluded.duplicates,
  quarantined = known.quarantined + excluded.quarantined,
  internal = known.internal + excluded.internal`;

/** Counts outcomes in the transaction that brings them about. Last before COMMIT: the row is hot. */
export async function addToLedger(
  db: Queryable,
  epoch: number,
  shard: number,
  counts: OutcomeCounts,
): Promise<void> {
  await db.query({
    name: 'add-to-ledger',
    text,
    values: [epoch, shard, counts.stored, counts.duplicates, counts.quarantined, counts.internal],
  });
}
