import type { Queryable } from '../statements/queryable.ts';

/** A row of `route_schedule` that this process works on until its lease is over. */
export interface LeasedJob {
  readonly routeId: number;
  readonly jobId: string;
  readonly tenantId: string;
  readonly job: string;
  readonly attempts: number;
  readonly firstAtMs: number;
}

// From one route to the next by the index: as many steps as there are routes, however many jobs they have.
const scheduledText = `
with recursive route (route_id) as (
  (select route_id from route_schedule order by route_id limit 1)
  union all
  select (select s.route_id from route_schedule s where s.route_id > route.route_id order by s.route_id limit 1)
  from route where route.route_id is not null
)
select route_id from route where route_id is not null`;
const dueText = `${scheduledText} and exists (
  select from route_schedule s
  where s.route_id = route.route_id and s.due_at <= now() and (s.lease_until is null or s.lease_until < now()))`;

/** Routes that have a job due. */
export function selectDueRoutes(db: Queryable): Promise<number[]> {
  return selectRoutes(db, 'due-routes', dueText);
}

/** Routes for which anything waits. */
export function selectScheduledRoutes(db: Queryable): Promise<number[]> {
  return selectRoutes(db, 'scheduled-routes', scheduledText);
}

async function selectRoutes(db: Queryable, name: string, text: string): Promise<number[]> {
  const { rows } = await db.query<{ route_id: number }>({ name, text });
  return rows.map((row) => row.route_id);
}

/** Of `route_schedule s`, for a `Row`. */
const leasedColumns = `s.route_id, s.job_id, s.tenant_id, s.job, s.attempts,
          extract(epoch from s.first_attempt_at)::float8 * 1000 as first_ms`;

const leaseText = `
with wanted as (
  select route_id, jobs from unnest($1::int[], $2::int[]) as w (route_id, jobs)
), picked as materialized (
  select s.route_id, s.job_id from wanted w cross join lateral (
    select route_id, job_id from route_schedule
    where route_id = w.route_id and due_at <= now() and (lease_until is null or lease_until < now())
    order by due_at limit w.jobs
    for update skip locked
  ) s
)
update route_schedule s set lease_until = now() + $3 * interval '1 ms'
from picked p where s.route_id = p.route_id and s.job_id = p.job_id
returning ${leasedColumns}`;

interface Row {
  readonly route_id: number;
  readonly job_id: string;
  readonly tenant_id: string;
  readonly job: string;
  readonly attempts: number;
  readonly first_ms: number;
}

/** Takes due jobs for this process alone: of each route the earliest, as many as wanted. */
export async function leaseJobs(
  db: Queryable,
  wanted: readonly { readonly routeId: number; readonly jobs: number }[],
  leaseMs: number,
): Promise<LeasedJob[]> {
  if (wanted.length === 0) return [];
  const values = [wanted.map(({ routeId }) => routeId), wanted.map(({ jobs }) => jobs), leaseMs];
  const { rows } = await db.query<Row>({ name: 'lease-jobs', text: leaseText, values });
  return rows.map(toLeased);
}

const takeOutText = `
delete from route_schedule s where (route_id, job_id) in (
  select route_id, job_id from route_schedule
  where route_id = $1 and (lease_until is null or lease_until < now())
    and first_attempt_at <= now() - $2 * interval '1 ms'
  order by due_at limit $3
  for update skip locked
)
returning ${leasedColumns}`;

/** Takes out jobs of a route, due or not, that are older than that; 0: all that nobody works on. The caller writes what becomes of them. */
export async function takeOutJobs(
  db: Queryable,
  routeId: number,
  olderThanMs: number,
  limit: number,
): Promise<LeasedJob[]> {
  const { rows } = await db.query<Row>({
    name: 'take-out-jobs',
    text: takeOutText,
    values: [routeId, olderThanMs, limit],
  });
  return rows.map(toLeased);
}

const fullText = 'select route_id from route_schedule group by route_id having sum(jobs) > $1';

/** Routes for which more than so many jobs wait. Reads the whole table. */
export async function selectFullRoutes(db: Queryable, maxJobs: number): Promise<number[]> {
  const { rows } = await db.query<{ route_id: number }>({
    name: 'full-routes',
    text: fullText,
    values: [maxJobs],
  });
  return rows.map((row) => row.route_id);
}

/** Two processes that see the same excess must not both take it out. */
const excessLock = 0x72_6f_75_74;
const excessText = `
delete from route_schedule s where (route_id, job_id) in (
  select route_id, job_id from route_schedule
  where route_id = $1 and (lease_until is null or lease_until < now())
  order by due_at desc
  limit (select least($3, greatest(0, coalesce(sum(jobs), 0) - $2)) from route_schedule where route_id = $1)
  for update skip locked
)
returning ${leasedColumns}`;

/** Takes out what is over `maxJobs` of a route, at most `limit` rows: those whose next attempt is furthest away. In a transaction. */
export async function takeOutExcess(
  db: Queryable,
  routeId: number,
  maxJobs: number,
  limit: number,
): Promise<LeasedJob[]> {
  await db.query({
    name: 'lock-excess',
    text: 'select pg_advisory_xact_lock($1, $2)',
    values: [excessLock, routeId],
  });
  const { rows } = await db.query<Row>({
    name: 'take-out-excess',
    text: excessText,
    values: [routeId, maxJobs, limit],
  });
  return rows.map(toLeased);
}

function toLeased(row: Row): LeasedJob {
  return {
    routeId: row.route_id,
    jobId: row.job_id,
    tenantId: row.tenant_id,
    job: row.job,
    attempts: row.attempts,
    firstAtMs: row.first_ms,
  };
}
