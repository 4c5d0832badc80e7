import type { Queryable } from '../statements/queryable.ts';

/** What became of a route's jobs so far, and what waits. Jobs are counted. */
export interface RouteState {
  readonly routeId: number;
  /** Out of the outbox: published to ROUTES, or refused. */
  readonly matched: number;
  readonly conditionErrors: number;
  readonly delivered: number;
  /** Attempts that failed and were put off. */
  readonly retried: number;
  /** Dead letters ever. */
  readonly dead: number;
  readonly evicted: number;
  readonly replayed: number;
  readonly purged: number;
  /** Dead letters that are there now. */
  readonly held: number;
  readonly inOutbox: number;
  /** In `route_schedule`, for another attempt. */
  readonly scheduled: number;
  readonly nextAttemptAt: Date | undefined;
  readonly lastError: string | undefined;
}

interface Row {
  readonly route_id: number;
  readonly matched: number;
  readonly condition_errors: number;
  readonly delivered: number;
  readonly retried: number;
  readonly dead: number;
  readonly evicted: number;
  readonly replayed: number;
  readonly purged: number;
  readonly held: number;
  readonly in_outbox: number;
  readonly scheduled: number;
  readonly next_at: Date | null;
  readonly last_error: string | null;
}

// One statement, so of one moment.
const text = `
with totals as (
  select route_id, sum(matched) as matched, sum(condition_errors) as condition_errors, sum(delivered) as delivered,
         sum(retried) as retried, sum(dead) as dead, sum(evicted) as evicted, sum(replayed) as replayed, sum(purged) as purged
  from route_totals where route_id = any($1::int[]) group by route_id
), owed as (
  select route_id, count(*) as jobs from (
    select unnest(route_ids || refused_route_ids) as route_id from route_outbox
    union all select (event ->> 'route_id')::int from route_outbox where event ? 'route_id'
  ) o group by route_id
), waiting as (
  select route_id, sum(jobs) as jobs, min(due_at) as next_at,
         (array_agg(last_error order by attempts desc, due_at) filter (where last_error is not null))[1] as last_error
  from route_schedule where route_id = any($1::int[]) group by route_id
), held as (
  select route_id, count(*) as letters from dead_letters where route_id = any($1::int[]) group by route_id
)
select wanted.route_id, coalesce(t.matched, 0)::float8 as matched,
       coalesce(t.condition_errors, 0)::float8 as condition_errors, coalesce(t.delivered, 0)::float8 as delivered,
       coalesce(t.retried, 0)::float8 as retried, coalesce(t.dead, 0)::float8 as dead,
       coalesce(t.evicted, 0)::float8 as evicted, coalesce(t.replayed, 0)::float8 as replayed,
       coalesce(t.purged, 0)::float8 as purged, coalesce(h.letters, 0)::float8 as held,
       coalesce(o.jobs, 0)::float8 as in_outbox, coalesce(w.jobs, 0)::float8 as scheduled, w.next_at, w.last_error
from unnest($1::int[]) as wanted (route_id)
  left join totals t using (route_id) left join owed o using (route_id) left join waiting w using (route_id)
  left join held h using (route_id)`;

/** Of these routes, by their ids; also of routes that are gone. */
export async function selectRouteStates(
  db: Queryable,
  routeIds: readonly number[],
): Promise<Map<number, RouteState>> {
  const { rows } = await db.query<Row>({ text, values: [routeIds] });
  return new Map(
    rows.map((row) => [
      row.route_id,
      {
        routeId: row.route_id,
        matched: row.matched,
        conditionErrors: row.condition_errors,
        delivered: row.delivered,
        retried: row.retried,
        dead: row.dead,
        evicted: row.evicted,
        replayed: row.replayed,
        purged: row.purged,
        held: row.held,
        inOutbox: row.in_outbox,
        scheduled: row.scheduled,
        nextAttemptAt: row.next_at ?? undefined,
        lastError: row.last_error ?? undefined,
      },
    ]),
  );
}

/**
 * Jobs that lie in ROUTES or are being tried. What was published or delivered twice makes it smaller, never below zero.
 */
export function inRoutes({ matched, delivered, dead, scheduled }: RouteState): number {
  return Math.max(0, matched - delivered - dead - scheduled);
}
