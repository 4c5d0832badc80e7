import type pg from 'pg';
import { stopSettling } from '../settling-lock.ts';
import { inTransaction } from '../transaction.ts';
import type { Queryable } from './queryable.ts';

/** The first messages of a restored stream that are known to be new. */
export interface NextEpoch {
  readonly stream: string;
  readonly created: string;
  /** The epoch they were taken for. */
  readonly after: number;
  readonly firstSeq: number;
  /** Undefined: no new message was met yet; they will be younger than all that have been claimed. */
  readonly firstTimestampNs: bigint | undefined;
}

/**
 * Opens the epoch that follows `after`, or lets the one that is open begin earlier. Nobody settles meanwhile, so a claim
 * either is committed before (and is taken over where it belongs to the new epoch), or sees it.
 */
export async function openNextEpoch(pool: pg.Pool, next: NextEpoch): Promise<void> {
  await inTransaction(pool, async (db) => {
    await stopSettling(db);
    const opened = await insertOrLower(db, next);
    if (opened !== undefined) await takeOver(db, opened);
  });
}

interface Opened {
  readonly epoch: number;
  readonly previous: number;
}

const newestText = `
select epoch, previous, base_seq, first_timestamp_ns from stream_epochs
where stream = $1 and created = $2 order by epoch desc limit 1`;

const insertText = `
insert into stream_epochs (stream, created, previous, base_seq, compacted_to, last_mark, first_timestamp_ns)
values ($1, $2, $3, $4, $4, $4, coalesce($5, (
  select greatest(e.compacted_newest_ns, (select max(timestamp_ns) from claims c where c.epoch = e.epoch)) + 1
  from stream_epochs e where e.epoch = $3
))) returning epoch, previous`;

// What was below the base had no claims here: now it may, so it becomes a gap of what is compacted.
const lowerText = `
update stream_epochs set
  base_seq = least(base_seq, $2), first_timestamp_ns = least(first_timestamp_ns, $3),
  compacted_gaps = compacted_gaps + int8multirange(int8range(least(base_seq, $2) + 1, base_seq + 1))
where epoch = $1 returning epoch, previous`;

/** Undefined: another worker has opened it already, and wide enough. */
async function insertOrLower(db: Queryable, next: NextEpoch): Promise<Opened | undefined> {
  const { stream, created, after, firstSeq, firstTimestampNs } = next;
  const baseSeq = firstSeq - 1;
  const newest = await db.query<Opened & { base_seq: bigint; first_timestamp_ns: bigint }>({
    text: newestText,
    values: [stream, created],
  });
  const [last] = newest.rows;
  if (last === undefined) throw new Error(`${stream} of ${created} has no epoch that another could follow`);
  if (last.epoch === after) {
    const { rows } = await db.query<Opened>({
      text: insertText,
      values: [stream, created, after, baseSeq, firstTimestampNs?.toString() ?? null],
    });
    return rows[0];
  }
  // Opened meanwhile by somebody who knew as much.
  if (firstTimestampNs === undefined) return undefined;
  if (BigInt(last.base_seq) <= BigInt(baseSeq) && BigInt(last.first_timestamp_ns) <= firstTimestampNs)
    return undefined;
  const firstNs = firstTimestampNs.toString();
  const { rows } = await db.query<Opened>({ text: lowerText, values: [last.epoch, baseSeq, firstNs] });
  return rows[0];
}

// Workers that did not know of the restoration yet have claimed numbers that were free in the old epoch. Which outcomes
// these had is kept of the quarantined ones only: the others go over as stored, so the sum over all epochs stays exact.
const takeOverText = `
with epoch as (
  select n.epoch, n.previous, n.base_seq, n.first_timestamp_ns, p.compacted_to, p.compacted_gaps
  from stream_epochs n join stream_epochs p on p.epoch = n.previous where n.epoch = $1
), moved as (
  update claims c set epoch = e.epoch from epoch e
  where c.epoch = e.previous and c.seq > e.base_seq and c.timestamp_ns >= e.first_timestamp_ns
    and (c.seq > e.compacted_to or e.compacted_gaps @> c.seq)
  returning c.seq
), refused as (
  update quarantine q set stream_epoch = e.epoch from epoch e
  where q.stream_epoch = e.previous and q.stream_seq in (select seq from moved)
  returning q.stream_seq
), counted as (
  select (select count(*) from moved) - (select count(*) from refused) as stored,
         (select count(*) from refused) as quarantined
)
insert into ledger as known (epoch, shard, stored, quarantined)
select side.epoch, 0, side.sign * c.stored, side.sign * c.quarantined
from counted c, epoch e cross join lateral (values (e.previous, -1), (e.epoch, 1)) as side (epoch, sign)
where c.stored + c.quarantined > 0
on conflict (epoch, shard) do update set
  stored = known.stored + excluded.stored, quarantined = known.quarantined + excluded.quarantined`;

async function takeOver(db: Queryable, { epoch }: Opened): Promise<void> {
  await db.query({ text: takeOverText, values: [epoch] });
}
