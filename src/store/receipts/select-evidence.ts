import type { Evidence } from '../../model/fate.ts';
import type { Receipt } from '../../model/receipt.ts';
import { int8Array, timestampArray, uuidArray } from '../binary-arrays.ts';
import type { Queryable } from '../statements/queryable.ts';
import { toSafeNumber } from '../types.ts';

/*
 * A row of `telemetry` is under (time, identity). Of a message with a key it may be an earlier one's, whose time the key
 * remembers; else the receipt says the time, unless the message was mended: its identity is settled as a key is.
 *
 * Whether the sequence is claimed is asked of the epoch that the message is of: of the stream's life, the newest that had
 * begun when it arrived. A publish takes a few seconds at most.
 */
const text = `
with epoch as materialized (
  select e.*, (get_byte(h.life, 0)::bigint << 24) + (get_byte(h.life, 1) << 16) + (get_byte(h.life, 2) << 8)
              + get_byte(h.life, 3) as life
  from stream_epochs e cross join lateral (select sha256(convert_to(e.created, 'UTF8')) as life) h
  where e.stream = $1
)
select r.ord, to_char(t.time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time, t.stream_seq,
       (extract(epoch from t.arrived_at) * 1000)::float8 as arrived_at_ms,
       replace(k.body_hash::text, '-', '') as key_body_hash, q.reason, q.detail,
       coalesce(
         exists (select from claims c where c.epoch = e.epoch and c.seq = r.seq)
           or (r.seq <= e.compacted_to and not e.compacted_gaps @> r.seq), false) as claimed
from unnest($2::timestamptz[], $3::uuid[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::boolean[])
       with ordinality as r (time, identity, seq, life, arrived_at, is_keyed, ord)
  left join message_keys k on k.identity = r.identity
  left join lateral (
    select time, stream_seq, arrived_at from telemetry
    where time = coalesce(k.time, r.time) and identity = r.identity
  ) t on true
  left join lateral (
    select reason, detail from quarantine where stream_seq = r.seq and identity = r.identity
    order by quarantine_id desc limit 1
  ) q on true
  left join lateral (
    select * from epoch
    where (life = r.life or r.life = 0) and base_seq < r.seq
      and first_timestamp_ns <= (extract(epoch from r.arrived_at) + 5)::bigint * 1000000000
    order by epoch.epoch desc limit 1
  ) e on true
order by r.ord`;

interface Row {
  readonly time: string | null;
  readonly stream_seq: bigint | null;
  readonly arrived_at_ms: number | null;
  readonly key_body_hash: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly claimed: boolean;
}

/** What is known of each receipt's message, in their order. */
export async function selectEvidence(
  db: Queryable,
  stream: string,
  receipts: readonly Receipt[],
): Promise<Evidence[]> {
  const values = [
    stream,
    // A time that cannot be read has no row; neither has this one.
    timestampArray(receipts, ({ timeUs }) => timeUs ?? 0),
    uuidArray(receipts, ({ identity }) => identity),
    int8Array(receipts, ({ seq }) => seq),
    int8Array(receipts, ({ streamLife }) => streamLife),
    timestampArray(receipts, ({ arrivedAtMs }) => arrivedAtMs * 1_000),
    receipts.map(({ kind }) => kind === 'key'),
  ];
  const { rows } = await db.query<Row>({ name: 'select-evidence', text, values });
  return rows.map(evidenceOf);
}

function evidenceOf(row: Row): Evidence {
  const { time, stream_seq: streamSeq, arrived_at_ms: arrivedAtMs, reason, detail } = row;
  const hasRow = time !== null && streamSeq !== null && arrivedAtMs !== null;
  return {
    row: hasRow
      ? { time, streamSeq: toSafeNumber(streamSeq), arrivedAtMs: Math.round(arrivedAtMs) }
      : undefined,
    keyBodyHash: row.key_body_hash ?? undefined,
    quarantined: reason === null ? undefined : { reason, detail: detail ?? '' },
    claimed: row.claimed,
  };
}
