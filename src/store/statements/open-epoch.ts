import type { Queryable } from './queryable.ts';

/** An incarnation of a stream. A message belongs to the newest one of its `created` that it fits in. */
export interface StreamEpoch {
  readonly epoch: number;
  /** Its messages have higher sequences. */
  readonly baseSeq: number;
  /** Its messages are not older, ns since the epoch. */
  readonly firstTimestampNs: bigint;
}

const text = `
with opened as (
  insert into stream_epochs (stream, created) values ($1, $2)
  on conflict do nothing returning epoch, base_seq, first_timestamp_ns
)
select * from opened
union all
select epoch, base_seq, first_timestamp_ns from stream_epochs where stream = $1 and created = $2
order by epoch desc`;

/**
 * The epochs of a stream's incarnation, newest first; the first one is opened when there is none.
 * @param created JetStream's own spelling of the stream's creation time.
 */
export async function openEpoch(db: Queryable, stream: string, created: string): Promise<StreamEpoch[]> {
  for (;;) {
    const { rows } = await db.query<{ epoch: number; base_seq: bigint; first_timestamp_ns: bigint }>({
      name: 'open-epoch',
      text,
      values: [stream, created],
    });
    // Opened by another worker after this statement's snapshot: the next one sees it.
    if (rows.length === 0) continue;
    return rows.map((row) => ({
      epoch: row.epoch,
      baseSeq: Number(row.base_seq),
      firstTimestampNs: BigInt(row.first_timestamp_ns),
    }));
  }
}
