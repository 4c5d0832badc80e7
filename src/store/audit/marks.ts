import type { Queryable } from '../statements/queryable.ts';

/** The newest epoch of an incarnation of the stream, and the highest sequence that an audit saw assigned in it. */
export interface EpochMark {
  readonly epoch: number;
  readonly created: string;
  readonly lastMark: number;
}

export async function selectMarks(db: Queryable, stream: string): Promise<EpochMark[]> {
  const { rows } = await db.query<{ epoch: number; created: string; last_mark: bigint }>({
    text: `select distinct on (created) epoch, created, last_mark from stream_epochs
      where stream = $1 order by created, epoch desc`,
    values: [stream],
  });
  return rows.map(({ epoch, created, last_mark }) => ({ epoch, created, lastMark: Number(last_mark) }));
}

/** So that a stream that is gone is still known to have assigned this much. */
export async function raiseMark(db: Queryable, epoch: number, lastSeq: number): Promise<void> {
  await db.query({
    text: 'update stream_epochs set last_mark = $2 where epoch = $1 and last_mark < $2',
    values: [epoch, lastSeq],
  });
}
