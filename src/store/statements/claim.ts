import { bigintArray, int8Array } from '../binary-arrays.ts';
import type { Queryable } from './queryable.ts';

export interface ClaimedPosition {
  readonly seq: number;
  readonly timestampNs: bigint;
}

export interface ClaimResult {
  /** Sequences that nobody had claimed before this transaction. */
  readonly claimed: ReadonlySet<number>;
  /**
   * Sequences that another message of this epoch has, or that fit a later epoch: the stream was restored from an
   * older copy and gives old numbers again. Not claimed here, and not claimed before either.
   */
  readonly elsewhere: ReadonlySet<number>;
  /** The registry's version at the time of the claim. */
  readonly registryVersion: number;
}

/*
 * A sequence of an epoch is claimed when there is a row for it, or when it lies below the epoch's mark and in none of the
 * mark's gaps. Both are read in the one snapshot of this statement, and compaction deletes a row only when each
 * transaction that could have an older snapshot has ended (see compact-claims.ts): here each claim is seen in one form or
 * the other. Who claims at the same moment is met in the primary key, whatever the snapshot.
 *
 * The same number with another timestamp is another message: JetStream gives a message its timestamp once. Below the
 * mark only the newest timestamp is known, and a message that is younger than all of them is another one.
 *
 * `+ '{}'` unpacks the gaps once, and not for each sequence: 1,000 redeliveries took 27 s with 143,000 gaps.
 *
 * Sorted, so that two workers that were delivered the same messages wait for each other in one direction only. The
 * registry's version comes in the same round trip, and of the sequences only those that were not claimed: usually none.
 */
const text = `
with mark as materialized (
  select stream, created, compacted_to, compacted_newest_ns, compacted_gaps + '{}' as compacted_gaps
  from stream_epochs where epoch = $1
), later as materialized (
  select n.base_seq, n.first_timestamp_ns from stream_epochs n, mark m
  where n.stream = m.stream and n.created = m.created and n.epoch > $1
), offered as materialized (
  select o.seq, o.timestamp_ns, m.compacted_newest_ns as newest_ns,
         o.seq <= m.compacted_to and not m.compacted_gaps @> o.seq as compacted,
         exists (select from later l where o.seq > l.base_seq and o.timestamp_ns >= l.first_timestamp_ns) as later
  from unnest($2::bigint[], $3::bigint[]) as o (seq, timestamp_ns), mark m
), claimed as (
  insert into claims (epoch, seq, timestamp_ns)
  select $1, seq, timestamp_ns from offered where not compacted and not later
  order by seq
  on conflict do nothing
  returning seq
), others as materialized (
  select o.*, (select c.timestamp_ns from claims c where c.epoch = $1 and c.seq = o.seq) as claimed_ns
  from offered o where not exists (select from claimed c where c.seq = o.seq)
)
select (select version from registry_version)::text as registry_version,
       exists (select from mark) as known,
       array(select seq::text from others) as others,
       array(select seq::text from others
             where later or (compacted and timestamp_ns > newest_ns)
               or (not compacted and claimed_ns <> timestamp_ns)) as elsewhere,
       array(select seq::text from others where not later and not compacted and claimed_ns is null) as undecided`;

interface Row {
  readonly registry_version: string | null;
  readonly known: boolean;
  readonly others: string[];
  readonly elsewhere: string[];
  readonly undecided: string[];
}

/**
 * Claims positions of an epoch, each of them once for all time. Sequences must be distinct within the call, and the
 * transaction must have begun with `beginSettling`.
 */
export async function claim(
  db: Queryable,
  epoch: number,
  positions: readonly ClaimedPosition[],
): Promise<ClaimResult> {
  const { rows } = await db.query<Row>({ name: 'claim', text, values: [epoch, ...columns(positions)] });
  const [row] = rows;
  if (row === undefined || row.registry_version === null)
    throw new Error('registry_version is empty: run `tributary migrate`');
  if (!row.known) throw new Error(`epoch ${epoch} is not in stream_epochs: was the database replaced?`);
  const others = new Set(row.others.map(Number));
  const elsewhere = new Set(row.elsewhere.map(Number));
  const undecided = new Set(row.undecided.map(Number));
  if (undecided.size > 0) {
    const open = positions.filter(({ seq }) => undecided.has(seq));
    for (const seq of await claimedByAnother(db, epoch, open)) elsewhere.add(seq);
  }
  return {
    claimed: new Set(positions.flatMap(({ seq }) => (others.has(seq) ? [] : seq))),
    elsewhere,
    registryVersion: Number(row.registry_version),
  };
}

const comparedText = `
select o.seq::text, c.timestamp_ns = o.timestamp_ns as same
from unnest($2::bigint[], $3::bigint[]) as o (seq, timestamp_ns)
  join lateral (select timestamp_ns from claims where epoch = $1 and seq = o.seq) c on true`;

/** Somebody's claim was committed while ours waited for it: a new snapshot shows whether for the same message. */
async function claimedByAnother(
  db: Queryable,
  epoch: number,
  positions: readonly ClaimedPosition[],
): Promise<number[]> {
  const { rows } = await db.query<{ seq: string; same: boolean }>({
    name: 'claim-compare',
    text: comparedText,
    values: [epoch, ...columns(positions)],
  });
  if (rows.length < positions.length)
    throw new Error(
      `a claim of epoch ${epoch} is gone that another transaction made: who deletes from claims?`,
    );
  return rows.filter(({ same }) => !same).map(({ seq }) => Number(seq));
}

function columns(positions: readonly ClaimedPosition[]): unknown[] {
  return [int8Array(positions, ({ seq }) => seq), bigintArray(positions, ({ timestampNs }) => timestampNs)];
}
