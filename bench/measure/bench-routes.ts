import type { Backend } from './backend.ts';

export interface BenchRoute {
  readonly name: string;
  readonly url: string;
}

/** Routes without a signature and without a cap: every message of the tenant goes to each of them. */
export async function addRoutes(
  { pool }: Backend,
  tenantId: string,
  routes: readonly BenchRoute[],
): Promise<void> {
  await pool.query(
    `insert into routes (tenant_id, name, topic_filter, destination, rate_per_second, burst)
     select $1, name, 'tenant/+/device/+/telemetry', jsonb_build_object('kind', 'webhook', 'url', url), 1000000, 1000000
     from unnest($2::text[], $3::text[]) as r (name, url)`,
    [tenantId, routes.map(({ name }) => name), routes.map(({ url }) => url)],
  );
}

/** No route is left, and nothing that was owed to one. */
export async function removeRoutes(backend: Backend): Promise<void> {
  await backend.pool.query('delete from routes');
  await backend.pool.query('truncate route_outbox, route_totals, dead_letters, route_schedule');
  await backend.purgeRoutes();
}
