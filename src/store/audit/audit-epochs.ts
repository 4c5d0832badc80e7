import type { AuditedCounts } from '../../model/audited-counts.ts';
import { toMultirange } from '../../model/sequence-ranges.ts';
import type { Queryable } from '../statements/queryable.ts';

/** What the stream said before the database is asked. */
export interface SeenStream {
  readonly created: string;
  readonly lastSeq: number;
  readonly present: readonly { readonly from: number; readonly to: number }[];
}

/** One epoch's account. */
export interface EpochAccount extends AuditedCounts {
  readonly epoch: number;
  readonly stream: string;
  readonly created: string;
  readonly openedAt: Date;
  /** Whether new messages come into it. */
  readonly live: boolean;
  readonly baseSeq: bigint;
  /** The last sequence of it that is known. */
  readonly lastSeq: bigint;
  /** Where they are, an int8multirange of the first ones. */
  readonly unaccountedSequences: string;
  /** How much of `unaccounted` operators have looked into. */
  readonly acknowledged: bigint;
}

/*
 * Everything in one statement, and so in one snapshot.
 *
 * A gap is a sequence without a claim. Claims are rows, or lie below the epoch's mark and in none of its gaps.
 * `$2` to `$4` are what the stream said before. A message leaves the stream by an ack, and an ack follows the
 * committed claim: a gap that the stream did not hold then was taken out behind our back. What came later than
 * `$3` is on its way. In an epoch that the stream has left, only what a restored copy still holds can come again: the
 * numbers up to the base of the epoch that followed.
 */
const text = `
with epochs as (
  select e.*, n.base_seq as next_base, n.epoch is null and e.created = $2 as live,
         case when n.epoch is null and e.created = $2 then $3::bigint else e.last_mark end as seen
  from stream_epochs e left join stream_epochs n on n.previous = e.epoch
  where e.stream = $1
), claimed as (
  select e.epoch, coalesce(sum(i.length), 0)::bigint as claims, max(i.last) as last,
         coalesce(range_agg(int8range(i.first, i.last + 1)), '{}') as ranges
  from epochs e cross join lateral (
    select min(seq) as first, max(seq) as last, count(*) as length
    from (select seq, seq - row_number() over (order by seq) as island from claims where epoch = e.epoch) c
    group by island
  ) i
  group by e.epoch
), known as (
  select e.*, greatest(e.seen, e.compacted_to, c.last, e.base_seq) as last_seq, coalesce(c.claims, 0) as claims,
         coalesce(c.ranges, '{}') as ranges
  from epochs e left join claimed c using (epoch)
), gapped as (
  select k.*,
    (int8multirange(int8range(k.compacted_to + 1, greatest(k.compacted_to, k.last_seq) + 1)) + k.compacted_gaps)
      - k.ranges as gaps
  from known k
), placed as (
  select g.*, case
      when g.created is distinct from $2 then '{}'
      when g.live then g.gaps * ($4::int8multirange + int8multirange(int8range($3 + 1, null)))
      else g.gaps * $4::int8multirange * int8multirange(int8range(0, g.next_base + 1))
    end as coming
  from gapped g
), counted as (
  select p.*, p.last_seq - p.base_seq as accepted,
         (select coalesce(sum(upper(r) - lower(r)), 0) from unnest(p.coming) r)::bigint as in_flight,
         (select coalesce(sum(l.stored), 0) from ledger l where l.epoch = p.epoch)::bigint as stored,
         (select coalesce(sum(l.duplicates), 0) from ledger l where l.epoch = p.epoch)::bigint as duplicates,
         (select coalesce(sum(l.quarantined), 0) from ledger l where l.epoch = p.epoch)::bigint as quarantined,
         (select coalesce(sum(l.internal), 0) from ledger l where l.epoch = p.epoch)::bigint as internal
  from placed p
)
select epoch, stream, created, opened_at, live, base_seq, last_seq, accepted, stored, duplicates, quarantined,
       internal, in_flight, accepted - stored - duplicates - quarantined - internal - in_flight as unaccounted,
       (select coalesce(range_agg(r), '{}')::text
        from (select r from unnest(gaps - coming) r limit 5) first) as unaccounted_sequences,
       (select coalesce(sum(a.unaccounted), 0)::bigint from audit_acknowledgements a where a.epoch = c.epoch) as acknowledged
from counted c order by epoch`;

interface Row {
  readonly epoch: number;
  readonly stream: string;
  readonly created: string;
  readonly opened_at: Date;
  readonly live: boolean;
  readonly base_seq: bigint;
  readonly last_seq: bigint;
  readonly accepted: bigint;
  readonly stored: bigint;
  readonly duplicates: bigint;
  readonly quarantined: bigint;
  readonly internal: bigint;
  readonly in_flight: bigint;
  readonly unaccounted: bigint;
  readonly unaccounted_sequences: string;
  readonly acknowledged: bigint;
}

/** The accounts of a stream's epochs, oldest first. `seen` was read before; undefined: there is no such stream. */
export async function auditEpochs(
  db: Queryable,
  stream: string,
  seen: SeenStream | undefined,
): Promise<EpochAccount[]> {
  const { rows } = await db.query<Row>({
    text,
    values: [stream, seen?.created ?? null, seen?.lastSeq ?? 0, toMultirange(seen?.present ?? [])],
  });
  return rows.map((row) => ({
    epoch: row.epoch,
    stream: row.stream,
    created: row.created,
    openedAt: row.opened_at,
    live: row.live,
    baseSeq: row.base_seq,
    lastSeq: row.last_seq,
    accepted: row.accepted,
    stored: row.stored,
    duplicates: row.duplicates,
    quarantined: row.quarantined,
    internal: row.internal,
    inFlight: row.in_flight,
    unaccounted: row.unaccounted,
    unaccountedSequences: row.unaccounted_sequences,
    acknowledged: row.acknowledged,
  }));
}
