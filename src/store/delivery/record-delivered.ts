import { uuidArray } from '../binary-arrays.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface DeliveredJob {
  readonly routeId: number;
  /** 32 hex digits: of the message. */
  readonly identity: string;
  /** The one that succeeded included. */
  readonly attempts: number;
}

const text = `
insert into delivered_jobs (identity, route_id, attempts)
select * from unnest($1::uuid[], $2::int[], $3::smallint[]) as d (identity, route_id, attempts)
order by identity, route_id
on conflict do nothing`;

/** For the receipts of these messages. A job that was delivered twice counts as it was the first time. */
export async function recordDelivered(db: Queryable, jobs: readonly DeliveredJob[]): Promise<void> {
  if (jobs.length === 0) return;
  await db.query({
    name: 'record-delivered',
    text,
    values: [
      uuidArray(jobs, ({ identity }) => identity),
      jobs.map(({ routeId }) => routeId),
      jobs.map(({ attempts }) => Math.min(attempts, 32_767)),
    ],
  });
}
