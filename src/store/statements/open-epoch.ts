import type { Queryable } from './queryable.ts';

const text = `
with opened as (
  insert into stream_epochs (stream, created) values ($1, $2)
  on conflict do nothing returning epoch
)
select epoch from opened union all select epoch from stream_epochs where stream = $1 and created = $2`;

/**
 * The epoch of a stream's incarnation, opened when it is new.
 * @param created JetStream's own spelling of the stream's creation time.
 */
export async function openEpoch(db: Queryable, stream: string, created: string): Promise<number> {
  for (;;) {
    const { rows } = await db.query<{ epoch: number }>({
      name: 'open-epoch',
      text,
      values: [stream, created],
    });
    // Opened by another worker after this statement's snapshot: the next one sees it.
    if (rows[0] !== undefined) return rows[0].epoch;
  }
}
