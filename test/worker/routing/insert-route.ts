import type pg from 'pg';

export interface TestRoute {
  readonly tenantId?: string;
  readonly name: string;
  readonly filter?: string;
  readonly condition?: string;
  readonly firesOn?: readonly string[];
  readonly ratePerSecond?: number;
  readonly burst?: number;
  readonly enabled?: boolean;
}

/** A route with a destination that nobody delivers to in these tests. @returns its id */
export async function insertRoute(pool: pg.Pool, route: TestRoute): Promise<number> {
  const { rows } = await pool.query<{ route_id: number }>(
    `insert into routes (tenant_id, name, topic_filter, condition, fires_on, destination, rate_per_second, burst, enabled)
     values ($1, $2, $3, $4, $5, '{"kind":"webhook","url":"http://127.0.0.1:9/"}', $6, $7, $8) returning route_id`,
    [
      route.tenantId ?? 'acme',
      route.name,
      route.filter ?? '#',
      route.condition ?? null,
      route.firesOn ?? ['message'],
      route.ratePerSecond ?? 1_000_000,
      route.burst ?? 1_000_000,
      route.enabled ?? true,
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the route has no id');
  return row.route_id;
}

/** Counters of a route over all shards. */
export async function totalsOf(pool: pg.Pool, routeId: number): Promise<Record<string, number>> {
  const { rows } = await pool.query(
    `select coalesce(sum(matched), 0)::int as matched, coalesce(sum(condition_errors), 0)::int as errors,
       coalesce(sum(published), 0)::int as published, coalesce(sum(dead), 0)::int as dead,
       coalesce(sum(evicted), 0)::int as evicted
     from route_totals where route_id = $1`,
    [routeId],
  );
  return rows[0];
}
