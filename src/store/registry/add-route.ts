import type { Route } from '../../model/route.ts';
import type { Queryable } from '../statements/queryable.ts';
import { requireTenant } from './find-routes.ts';
import { RegistryError } from './registry-error.ts';
import { type RouteRow, routeColumns, type StoredRoute, toRoute } from './route-row.ts';

export interface NewRoute extends Omit<Route, 'routeId'> {
  /** Sealed. */
  readonly secrets: Uint8Array | undefined;
}

/** Adds what has been checked. @throws RegistryError `tenant_not_found`, `route_exists` */
export async function addRoute(db: Queryable, route: NewRoute): Promise<StoredRoute> {
  const { tenantId, name } = route;
  const { rows } = await db.query<RouteRow>({
    text: `insert into routes (tenant_id, name, topic_filter, condition, fires_on, destination, secrets, rate_per_second,
        burst, enabled)
      select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 where exists (select from tenants where tenant_id = $1)
      on conflict (tenant_id, name) do nothing returning ${routeColumns}`,
    values: [
      tenantId,
      name,
      route.topicFilter,
      route.condition,
      route.firesOn,
      JSON.stringify(route.destination),
      route.secrets,
      route.ratePerSecond,
      route.burst,
      route.enabled,
    ],
  });
  const [row] = rows;
  if (row !== undefined) return toRoute(row);
  await requireTenant(db, tenantId);
  throw new RegistryError(
    'route_exists',
    `Tenant ${tenantId} has a route ${name} already: change it with \`tributary route update\`, or choose another name.`,
  );
}
