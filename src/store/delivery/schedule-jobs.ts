import type { Queryable } from '../statements/queryable.ts';

/** A row of `route_schedule`: a job, or a batch of them, that waits for an attempt. */
export interface ScheduledJob {
  readonly routeId: number;
  /** Of the job or of the batch. */
  readonly jobId: string;
  readonly tenantId: string;
  readonly job: string;
  /** How many jobs are in it. */
  readonly jobs: number;
  readonly dueInMs: number;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly firstAtMs: number;
  readonly lastError: string | undefined;
}

const text = `
insert into route_schedule (route_id, job_id, tenant_id, job, jobs, due_at, attempts, first_attempt_at, last_error)
select route_id, job_id, tenant_id, job, jobs, now() + due_in_ms * interval '1 ms', attempts,
       timestamptz 'epoch' + first_ms * interval '1 ms', last_error
from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[], $6::float8[], $7::int[], $8::float8[], $9::text[])
  as j (route_id, job_id, tenant_id, job, jobs, due_in_ms, attempts, first_ms, last_error)
order by route_id, job_id collate "C"
on conflict (route_id, job_id) do nothing`;

/** What is there already stays as it is: a job that was delivered to us twice waits once. */
export async function scheduleJobs(db: Queryable, jobs: readonly ScheduledJob[]): Promise<void> {
  if (jobs.length === 0) return;
  await db.query({
    name: 'schedule-jobs',
    text,
    values: [
      jobs.map(({ routeId }) => routeId),
      jobs.map(({ jobId }) => jobId),
      jobs.map(({ tenantId }) => tenantId),
      jobs.map(({ job }) => job),
      jobs.map((each) => each.jobs),
      jobs.map(({ dueInMs }) => dueInMs),
      jobs.map(({ attempts }) => attempts),
      jobs.map(({ firstAtMs }) => firstAtMs),
      jobs.map(({ lastError }) => lastError ?? null),
    ],
  });
}
