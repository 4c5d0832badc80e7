import type { Queryable } from '../statements/queryable.ts';

export interface MessageDelivery {
  readonly route: string;
  readonly status: 'waiting' | 'delivered' | 'dead';
  readonly attempts: number;
  /** ISO 8601: when it was delivered or given up, or is tried next. */
  readonly at: string | undefined;
}

/*
 * Delivered, scheduled, dead, and owed by the outbox. A scheduled job's id is that of `routeJobId`; those of a batch are
 * found in its text. The outbox is looked through: it holds what was matched in the last moments.
 */
const text = `
with known as (
  select route_id, 'delivered' as status, attempts::int, delivered_at as at, 1 as rank
  from delivered_jobs where identity = $1::uuid
  union all
  select route_id, 'dead', attempts, dead_at, 2 from dead_letters where identity = $1::uuid
  union all
  select route_id, 'waiting', attempts, due_at, 3 from route_schedule
  where job_id = 'r1.' || route_id || '.' || $2
  union all
  select o.route_id, 'waiting', 0, null, 4
  from route_outbox b cross join lateral unnest(b.route_ids, b.identities) as o (route_id, identity)
  where b.created_at >= $3::timestamptz - interval '1 minute' and o.identity = $1::uuid
)
select distinct on (k.route_id) coalesce(r.name, '(removed)') as route, k.status, k.attempts,
       to_char(k.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
from known k left join routes r on r.route_id = k.route_id
order by k.route_id, k.rank`;

interface Row {
  readonly route: string;
  readonly status: MessageDelivery['status'];
  readonly attempts: number;
  readonly at: string | null;
}

/** What is known of a message's jobs, one a route; nothing of those that lie in ROUTES and were not tried yet. */
export async function selectDeliveries(
  db: Queryable,
  identity: string,
  arrivedAtMs: number,
): Promise<MessageDelivery[]> {
  const values = [identity, identity, new Date(arrivedAtMs)];
  const { rows } = await db.query<Row>({ name: 'select-deliveries', text, values });
  return rows.map(({ at, ...row }) => ({ ...row, at: at ?? undefined }));
}
