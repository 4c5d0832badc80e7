import { timestampArray } from '../binary-arrays.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface MendedMessage {
  /** Of its row in the quarantine, which is still there. */
  readonly id: bigint;
  readonly identity: string;
  /** Of its row in telemetry, µs since the epoch. */
  readonly timeUs: number;
}

/** Notes what is stored with another payload than it was sent with, and what that was. */
export async function noteMended(
  db: Queryable,
  replayId: number,
  messages: readonly MendedMessage[],
): Promise<void> {
  await db.query({
    text: `insert into mended_messages (identity, time, tenant_id, device_id, stream_epoch, stream_seq, replay_id, mended_by,
                                        mended_at, original)
      select m.identity, m.time, q.tenant_id, q.device_id, q.stream_epoch, q.stream_seq, $1, q.mended_by, q.mended_at,
             q.envelope
      from unnest($2::bigint[], $3::uuid[], $4::timestamptz[]) as m (id, identity, time)
        join quarantine q on q.quarantine_id = m.id
      on conflict (identity) do nothing`,
    values: [
      replayId,
      messages.map(({ id }) => id),
      messages.map(({ identity }) => identity),
      timestampArray(messages, ({ timeUs }) => timeUs),
    ],
  });
}
