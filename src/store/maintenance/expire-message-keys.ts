import type { Queryable } from '../statements/queryable.ts';
import { pageRanges } from './page-ranges.ts';

export interface ExpireOptions {
  /** How long a key is remembered, in hours. At least 24 are promised. */
  readonly keepHours: number;
  /**
   * What the caller's wall clock says, in ms since the epoch. Of it and the database's the earlier counts: one clock that
   * was set wrong deletes nothing that is still promised. Default: the database's alone.
   */
  readonly nowMs?: number;
  readonly pagesPerChunk?: number;
}

/**
 * Forgets idempotency keys of messages that were settled long ago, unless the quarantine still holds a message under
 * the key: replayed, it would be stored a second time. Those of mended messages stay for as long as it is known of them. @returns how many.
 */
export async function expireMessageKeys(
  db: Queryable,
  { keepHours, nowMs, pagesPerChunk = 1_024 }: ExpireOptions,
): Promise<number> {
  let expired = 0;
  for (const { from, to } of await pageRanges(db, 'message_keys', pagesPerChunk)) {
    const { rowCount } = await db.query({
      text: `delete from message_keys where ctid >= $1::tid and ctid < $2::tid
        and first_settled_at < least(now(), $4::timestamptz) - $3 * interval '1 hour'
        and not exists (select from quarantine q
                        where q.identity = message_keys.identity and q.identity_kind = 'key')
        and not exists (select from mended_messages m where m.identity = message_keys.identity)`,
      values: [from, to, keepHours, nowMs === undefined ? null : new Date(nowMs)],
    });
    expired += rowCount ?? 0;
  }
  return expired;
}
