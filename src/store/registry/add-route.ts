import type { Route } from '../../model/route.ts';
import type { Queryable } from '../statements/queryable.ts';
import { requireTenant } from './find-routes.ts';
import { RegistryError } from './registry-error.ts';
import { type RouteRow, routeColumns, type StoredRoute, toRoute } from './route-row.ts';

export interface NewRoute extends Omit<Route, 'routeId'> {
  /** Sealed. */
  readonly secrets: Uint8Array | undefined;
}

/** From `topic_filter` to `enabled`, in the order of both statements that write them. */
export function routeValues(route: Omit<NewRoute, 'tenantId' | 'name'>): unknown[] {
  return [
    route.topicFilter,
    route.condition,
    route.firesOn,
    JSON.stringify(route.destination),
    route.secrets,
    route.ratePerSecond,
    route.burst,
    route.enabled,
  ];
}

/**
 * Adds what has been checked, while the tenant has fewer routes than `maxPerTenant`; of two calls at once one may go over.
 *
 * @throws RegistryError `tenant_not_found`, `route_exists`, `too_many_routes`
 */
export async function addRoute(db: Queryable, route: NewRoute, maxPerTenant: number): Promise<StoredRoute> {
  const { tenantId, name } = route;
  const { rows } = await db.query<RouteRow>({
    text: `insert into routes (tenant_id, name, topic_filter, condition, fires_on, destination, secrets, rate_per_second,
        burst, enabled)
      select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 where exists (select from tenants where tenant_id = $1)
        and (select count(*) from routes where tenant_id = $1) < $11
      on conflict (tenant_id, name) do nothing returning ${routeColumns}`,
    values: [tenantId, name, ...routeValues(route), maxPerTenant],
  });
  const [row] = rows;
  if (row !== undefined) return toRoute(row);
  await requireTenant(db, tenantId);
  const { rowCount } = await db.query({
    text: 'select from routes where tenant_id = $1 and name = $2',
    values: [tenantId, name],
  });
  if (rowCount === 0)
    throw new RegistryError(
      'too_many_routes',
      `Tenant ${tenantId} has ${maxPerTenant} routes, and may have no more: remove one, or raise ` +
        'TRIBUTARY_ROUTES_PER_TENANT.',
    );
  throw new RegistryError(
    'route_exists',
    `Tenant ${tenantId} has a route ${name} already: change it with \`tributary route update\`, or choose another name.`,
  );
}
