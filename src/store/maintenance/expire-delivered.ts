import type { Queryable } from '../statements/queryable.ts';
import { pageRanges } from './page-ranges.ts';

/** Forgets which jobs were delivered so long ago. @returns how many */
export async function expireDelivered(db: Queryable, keepHours: number): Promise<number> {
  let expired = 0;
  for (const { from, to } of await pageRanges(db, 'delivered_jobs', 1_024)) {
    const { rowCount } = await db.query({
      text: `delete from delivered_jobs where ctid >= $1::tid and ctid < $2::tid
        and delivered_at < now() - $3 * interval '1 hour'`,
      values: [from, to, keepHours],
    });
    expired += rowCount ?? 0;
  }
  return expired;
}
