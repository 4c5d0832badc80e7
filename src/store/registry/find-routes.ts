import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { routeNotFound, tenantNotFound } from './registry-error.ts';
import { type RouteRow, routeColumns, type StoredRoute, toRoute } from './route-row.ts';

/** By tenant and name; of all tenants where none is given. @throws RegistryError `tenant_not_found` */
export async function listRoutes(db: Queryable, tenantId: TenantId | undefined): Promise<StoredRoute[]> {
  const { rows } = await db.query<RouteRow>({
    text: `select ${routeColumns} from routes where $1::text is null or tenant_id = $1 order by tenant_id, name`,
    values: [tenantId],
  });
  if (rows.length === 0 && tenantId !== undefined) await requireTenant(db, tenantId);
  return rows.map(toRoute);
}

/** Without its secrets, so that a tenant's reader can. @throws RegistryError `tenant_not_found`, `route_not_found` */
export async function showRoute(db: Queryable, tenantId: TenantId, name: string): Promise<StoredRoute> {
  const { rows } = await db.query<RouteRow>({
    text: `select ${routeColumns} from routes where tenant_id = $1 and name = $2`,
    values: [tenantId, name],
  });
  const [row] = rows;
  if (row !== undefined) return toRoute(row);
  await requireTenant(db, tenantId);
  throw routeNotFound(tenantId, name);
}

export interface RouteWithSecrets {
  readonly route: StoredRoute;
  /** Sealed. */
  readonly secrets: Buffer | undefined;
}

/**
 * @param lock keeps others from changing it until the end of the transaction
 * @throws RegistryError `tenant_not_found`, `route_not_found`
 */
export async function findRoute(
  db: Queryable,
  tenantId: TenantId,
  name: string,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<RouteWithSecrets> {
  const { rows } = await db.query<RouteRow & { readonly secrets: Buffer | null }>({
    text: `select ${routeColumns}, secrets from routes where tenant_id = $1 and name = $2${lock ? ' for update' : ''}`,
    values: [tenantId, name],
  });
  const [row] = rows;
  if (row !== undefined) return { route: toRoute(row), secrets: row.secrets ?? undefined };
  await requireTenant(db, tenantId);
  throw routeNotFound(tenantId, name);
}

/** @throws RegistryError `tenant_not_found` */
export async function requireTenant(db: Queryable, tenantId: TenantId): Promise<void> {
  const { rowCount } = await db.query({
    text: 'select from tenants where tenant_id = $1',
    values: [tenantId],
  });
  if (rowCount !== 1) throw tenantNotFound(tenantId);
}
