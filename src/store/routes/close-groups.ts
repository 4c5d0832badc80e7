import type { DeadLetterReason } from '../../model/dead-letter.ts';
import type { Queryable } from '../statements/queryable.ts';

/** A job of a group that ROUTES did not take, for good. */
export interface FailedJob {
  readonly jobGroup: string;
  readonly routeId: number;
  /** Of a message; undefined for a change of status. */
  readonly timeUs: number | undefined;
  readonly identity: string | undefined;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  /** False: there is no room for another dead letter of the tenant, so it is counted only. */
  readonly kept: boolean;
}

export interface ClosedGroups {
  /** Groups all of whose jobs have their outcome. */
  readonly groups: readonly string[];
  readonly failed: readonly FailedJob[];
  /** Of changes of status: the routes that they were for. */
  readonly statusJobs: readonly { readonly jobGroup: string; readonly routeId: number }[];
  /** This process's shard of the totals. */
  readonly shard: number;
}

/*
 * Whoever deletes a group's row counts it and writes its dead letters, in this one statement: a group that two processes
 * have published is counted once.
 */
const text = `
with gone as (
  delete from route_outbox where job_group = any($1::bigint[]) returning *
), jobs as (
  select j.route_id from gone g cross join lateral unnest(g.route_ids) as j (route_id)
  union all
  select s.route_id from unnest($2::bigint[], $3::int[]) as s (job_group, route_id) join gone g using (job_group)
), given_up as materialized (
  -- Refused by ROUTES.
  select f.route_id, f.time_us, f.identity, f.reason, f.detail, f.kept, true as was_tried, g.kind, g.event, g.tenant_id
  from unnest($4::bigint[], $5::int[], $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::bool[])
    as f (job_group, route_id, time_us, identity, reason, detail, kept) join gone g using (job_group)
  union all
  -- Refused when they were matched.
  select r.route_id, r.time_us, r.identity, 'ROUTES_FULL', r.detail, true, false, g.kind, g.event, g.tenant_id
  from gone g cross join lateral
    unnest(g.refused_route_ids, g.refused_times_us, g.refused_identities, g.refused_details)
    as r (route_id, time_us, identity, detail)
), letters as (
  insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, time, identity, event)
  select coalesce(r.tenant_id, f.tenant_id,
                  -- Only where the route was removed meanwhile: to join it costs each row as much as all the rest.
                  (select t.tenant_id from telemetry t where t.time = f.time and t.identity = f.identity), ''),
         f.route_id, coalesce(r.name, ''), f.reason, f.detail, f.kind, f.time, f.identity, f.event
  from (
    select *, timestamptz 'epoch' + time_us * interval '1 microsecond' as time from given_up where kept
  ) f left join routes r on r.route_id = f.route_id
), counted as (
  select route_id, 1 as matched, 0 as errors, 1 as published, 0 as dead, 0 as evicted from jobs
  union all
  select route_id, case when was_tried then 0 else 1 end, 0, case when was_tried then -1 else 0 end, 1,
         case when kept then 0 else 1 end
  from given_up
  union all
  select c.route_id, c.dropped, c.condition_errors, 0, c.dropped, c.dropped
  from gone g cross join lateral jsonb_to_recordset(g.counts)
    as c (route_id integer, condition_errors bigint, dropped bigint)
)
insert into route_totals as known (route_id, shard, tenant_id, matched, condition_errors, published, dead, evicted)
select c.route_id, $11, coalesce(min(r.tenant_id), ''), sum(c.matched), sum(c.errors), sum(c.published), sum(c.dead),
       sum(c.evicted)
from counted c left join routes r on r.route_id = c.route_id
group by c.route_id order by c.route_id
on conflict (route_id, shard) do update set
  matched = known.matched + excluded.matched, condition_errors = known.condition_errors + excluded.condition_errors,
  published = known.published + excluded.published, dead = known.dead + excluded.dead,
  evicted = known.evicted + excluded.evicted`;

/** Takes groups out of the outbox. Those that are gone already are passed over, with everything that is said of them. */
export async function closeGroups(
  db: Queryable,
  { groups, failed, statusJobs, shard }: ClosedGroups,
): Promise<void> {
  await db.query({
    name: 'close-groups',
    text,
    values: [
      groups,
      statusJobs.map((job) => job.jobGroup),
      statusJobs.map((job) => job.routeId),
      failed.map((job) => job.jobGroup),
      failed.map((job) => job.routeId),
      failed.map((job) => job.timeUs ?? null),
      failed.map((job) => job.identity ?? null),
      failed.map((job) => job.reason),
      failed.map((job) => job.detail),
      failed.map((job) => job.kept),
      shard,
    ],
  });
}
