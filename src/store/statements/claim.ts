import type { Queryable } from './queryable.ts';

export interface ClaimedPosition {
  readonly epoch: number;
  readonly seq: number;
  readonly timestampNs: bigint;
}

export interface ClaimResult {
  /** Sequences that nobody had claimed before this transaction. */
  readonly claimed: ReadonlySet<number>;
  /** The registry's version at the time of the claim. */
  readonly registryVersion: number;
}

// Sorted, so that two workers that were delivered the same messages wait for each other in one
// direction only. The registry's version comes in the same round trip.
const text = `
with claimed as (
  insert into claims (epoch, seq, timestamp_ns)
  select * from unnest($1::int[], $2::bigint[], $3::bigint[]) as offered (epoch, seq, timestamp_ns)
  order by epoch, seq, timestamp_ns
  on conflict do nothing
  returning seq
)
select (select version from registry_version)::text as registry_version,
       array(select seq::text from claimed) as claimed`;

/** Claims stream positions, each of them once for all time. Sequences must be distinct within the call. */
export async function claim(db: Queryable, positions: readonly ClaimedPosition[]): Promise<ClaimResult> {
  const { rows } = await db.query<{ registry_version: string; claimed: string[] }>({
    name: 'claim',
    text,
    values: [
      positions.map((position) => position.epoch),
      positions.map((position) => position.seq),
      positions.map((position) => position.timestampNs.toString()),
    ],
  });
  const row = rows[0];
  if (row === undefined)
    throw new Error('claim returned no row: registry_version is empty, run `tributary migrate`');
  return { claimed: new Set(row.claimed.map(Number)), registryVersion: Number(row.registry_version) };
}
