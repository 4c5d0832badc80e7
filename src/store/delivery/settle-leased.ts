import type { Queryable } from '../statements/queryable.ts';

export interface JobKey {
  readonly routeId: number;
  readonly jobId: string;
}

const deleteText = `
delete from route_schedule s using unnest($1::int[], $2::text[]) as d (route_id, job_id)
where s.route_id = d.route_id and s.job_id = d.job_id
returning s.route_id, s.job_id`;

/** @returns those that were there: another process may have settled one whose lease was over */
export async function deleteJobs(db: Queryable, keys: readonly JobKey[]): Promise<JobKey[]> {
  if (keys.length === 0) return [];
  const { rows } = await db.query<{ route_id: number; job_id: string }>({
    name: 'delete-jobs',
    text: deleteText,
    values: [keys.map(({ routeId }) => routeId), keys.map(({ jobId }) => jobId)],
  });
  return rows.map((row) => ({ routeId: row.route_id, jobId: row.job_id }));
}

export interface Rescheduled extends JobKey {
  readonly dueInMs: number;
  readonly attempts: number;
  /** Undefined: stays as it is. */
  readonly lastError: string | undefined;
}

const rescheduleText = `
update route_schedule s
set due_at = now() + r.due_in_ms * interval '1 ms', attempts = r.attempts, lease_until = null,
    last_error = coalesce(r.last_error, s.last_error)
from unnest($1::int[], $2::text[], $3::float8[], $4::int[], $5::text[])
  as r (route_id, job_id, due_in_ms, attempts, last_error)
where s.route_id = r.route_id and s.job_id = r.job_id`;

export async function rescheduleJobs(db: Queryable, jobs: readonly Rescheduled[]): Promise<void> {
  if (jobs.length === 0) return;
  await db.query({
    name: 'reschedule-jobs',
    text: rescheduleText,
    values: [
      jobs.map(({ routeId }) => routeId),
      jobs.map(({ jobId }) => jobId),
      jobs.map(({ dueInMs }) => dueInMs),
      jobs.map(({ attempts }) => attempts),
      jobs.map(({ lastError }) => lastError ?? null),
    ],
  });
}

const extendText = `
update route_schedule s set lease_until = now() + $3 * interval '1 ms'
from unnest($1::int[], $2::text[]) as h (route_id, job_id)
where s.route_id = h.route_id and s.job_id = h.job_id and s.lease_until is not null`;

export async function extendLeases(db: Queryable, keys: readonly JobKey[], leaseMs: number): Promise<void> {
  if (keys.length === 0) return;
  await db.query({
    name: 'extend-leases',
    text: extendText,
    values: [keys.map(({ routeId }) => routeId), keys.map(({ jobId }) => jobId), leaseMs],
  });
}
