import type { Rejection } from '../../model/verdict.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface RefusedAgain {
  readonly id: bigint;
  readonly rejection: Rejection;
}

/** Writes down why messages are refused now. */
export async function refuseAgain(db: Queryable, refused: readonly RefusedAgain[]): Promise<void> {
  await db.query({
    name: 'refuse-again',
    text: `update quarantine q set reason = r.reason, detail = r.detail, sqlstate = r.sqlstate
      from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as r (id, reason, detail, sqlstate)
      where q.quarantine_id = r.id
        and (q.reason, q.detail, q.sqlstate) is distinct from (r.reason, r.detail, r.sqlstate)`,
    values: [
      refused.map(({ id }) => id),
      refused.map(({ rejection }) => rejection.reason),
      refused.map(({ rejection }) => rejection.detail),
      refused.map(({ rejection }) => rejection.sqlstate ?? null),
    ],
  });
}
