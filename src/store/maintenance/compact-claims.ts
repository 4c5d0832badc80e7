import { sqlstateOf } from '../errors.ts';
import { awaitSettlers } from '../settling-lock.ts';
import type { Queryable } from '../statements/queryable.ts';

/*
 * A mark says: what is at or below it is claimed, but for the gaps. It replaces the rows of `claims` below it.
 *
 * Why no sequence is claimed twice, nor taken as claimed when it was not:
 * 1. The mark moves over what is committed. A row that is not committed yet leaves its number in the gaps, and counts by
 *    itself; the next move takes it in. So what the mark covers was claimed.
 * 2. Rows go only after the mark that covers them is committed, and after every settling transaction that was under
 *    way then has ended. Each that begins later reads the new mark in its claim's snapshot. One that began
 *    before may read the old mark, but while it runs the row is there, and its insert meets the row in the primary key.
 * 3. Only rows that the committed mark covers go: a number that is in the mark's gaps keeps its row.
 * Two processes that compact at once, one having lost its place without noticing, do no harm: marks only move forward in
 * one statement, and each deletes what its own committed mark covers.
 */

export interface CompactOptions {
  /** For each epoch: up to which sequence. Higher numbers cost nothing but gaps. */
  readonly targets: readonly CompactTarget[];
  /** Fewer rows than this stay, so that nobody is made to wait for little. */
  readonly minRows: number;
  /** Settling is held up so long at most; when it takes longer the rows stay until the next time. */
  readonly waitMs: number;
  readonly rowsPerChunk?: number;
}

export interface CompactTarget {
  readonly epoch: number;
  readonly to: number;
}

const lockNotAvailable = '55P03';

/** Replaces claims by their epoch's mark. @returns how many rows went. */
export async function compactClaims(db: Queryable, options: CompactOptions): Promise<number> {
  const { targets, minRows, waitMs, rowsPerChunk = 10_000 } = options;
  const covered: Covered[] = [];
  for (const target of targets) {
    if (await worthwhile(db, target, minRows)) covered.push(await moveMark(db, target));
  }
  if (covered.length === 0) return 0;
  try {
    await awaitSettlers(db, waitMs);
  } catch (error) {
    if (sqlstateOf(error) === lockNotAvailable) return 0;
    throw error;
  }
  let deleted = 0;
  for (const each of covered) deleted += await deleteCovered(db, each, rowsPerChunk);
  return deleted;
}

async function worthwhile(db: Queryable, { epoch, to }: CompactTarget, minRows: number): Promise<boolean> {
  const { rows } = await db.query<{ rows: number }>({
    text: `select count(*)::int as rows
      from (select from claims where epoch = $1 and seq <= $2 limit $3) few`,
    values: [epoch, to, minRows],
  });
  return (rows[0]?.rows ?? 0) >= minRows;
}

interface Covered {
  readonly epoch: number;
  readonly to: string;
  readonly gaps: string;
}

const moveText = `
update stream_epochs e set
  compacted_to = greatest(e.compacted_to, $2),
  compacted_gaps = e.compacted_gaps
    + int8multirange(int8range(e.compacted_to + 1, greatest(e.compacted_to, $2) + 1)) - c.ranges,
  compacted_newest_ns = greatest(e.compacted_newest_ns, c.newest_ns)
from (
  select coalesce(range_agg(int8range(first, last + 1)), '{}') as ranges, coalesce(max(newest_ns), 0) as newest_ns
  from (
    select min(seq) as first, max(seq) as last, max(timestamp_ns) as newest_ns
    from (select seq, timestamp_ns, seq - row_number() over (order by seq) as island
          from claims where epoch = $1 and seq <= $2) numbered
    group by island
  ) islands
) c
where e.epoch = $1
returning e.epoch, $2::text as "to", e.compacted_gaps::text as gaps`;

async function moveMark(db: Queryable, { epoch, to }: CompactTarget): Promise<Covered> {
  const { rows } = await db.query<Covered>({ text: moveText, values: [epoch, to] });
  const [covered] = rows;
  if (covered === undefined) throw new Error(`epoch ${epoch} is not in stream_epochs`);
  return covered;
}

const deleteText = `
delete from claims where epoch = $1 and seq = any(array(
  select seq from claims where epoch = $1 and seq <= $2 and not $3::int8multirange @> seq order by seq limit $4
))`;

async function deleteCovered(db: Queryable, { epoch, to, gaps }: Covered, chunk: number): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { rowCount } = await db.query({ text: deleteText, values: [epoch, to, gaps, chunk] });
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < chunk) return deleted;
  }
}

/**
 * How far each epoch of a stream can be compacted: the live one up to `to`, and those that the stream has left as a whole.
 */
export async function selectCompactable(
  db: Queryable,
  stream: string,
  live: { readonly created: string | undefined; readonly to: number },
): Promise<CompactTarget[]> {
  const { rows } = await db.query<{ epoch: number; to: string | null }>({
    text: `select e.epoch,
        case when e.created = $2 and n.epoch is null then $3::bigint
             else (select max(seq) from claims c where c.epoch = e.epoch) end::text as "to"
      from stream_epochs e left join stream_epochs n on n.previous = e.epoch where e.stream = $1`,
    values: [stream, live.created ?? null, live.to],
  });
  return rows.flatMap(({ epoch, to }) => (to === null ? [] : { epoch, to: Number(to) }));
}
