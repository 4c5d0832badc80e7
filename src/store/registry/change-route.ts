import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { type NewRoute, routeValues } from './add-route.ts';
import { requireTenant } from './find-routes.ts';
import { routeNotFound } from './registry-error.ts';

/** All of it, as it is to be from now on. A route that is enabled has no reason left for having been disabled. */
export async function saveRoute(
  db: Queryable,
  routeId: number,
  route: Omit<NewRoute, 'tenantId' | 'name'>,
): Promise<void> {
  await db.query({
    text: `update routes set topic_filter = $2, condition = $3, fires_on = $4, destination = $5, secrets = $6,
        rate_per_second = $7, burst = $8, enabled = $9, disabled_reason = case when $9 then null else disabled_reason end
      where route_id = $1`,
    values: [routeId, ...routeValues(route)],
  });
}

/** @throws RegistryError `tenant_not_found`, `route_not_found` */
export async function setRouteEnabled(
  db: Queryable,
  tenantId: TenantId,
  name: string,
  { enabled, reason }: { readonly enabled: boolean; readonly reason?: string | undefined },
): Promise<void> {
  const { rowCount } = await db.query({
    text: 'update routes set enabled = $3, disabled_reason = $4 where tenant_id = $1 and name = $2',
    values: [tenantId, name, enabled, enabled ? null : reason],
  });
  if (rowCount === 1) return;
  await requireTenant(db, tenantId);
  throw routeNotFound(tenantId, name);
}

/** Its dead letters and counters stay. @throws RegistryError `tenant_not_found`, `route_not_found` */
export async function removeRoute(db: Queryable, tenantId: TenantId, name: string): Promise<void> {
  const { rowCount } = await db.query({
    text: 'delete from routes where tenant_id = $1 and name = $2',
    values: [tenantId, name],
  });
  if (rowCount === 1) return;
  await requireTenant(db, tenantId);
  throw routeNotFound(tenantId, name);
}
