import type { Queryable } from '../statements/queryable.ts';
import { selectTenants } from './select-tenants.ts';
import type { Tenant } from './types.ts';

/** All tenants by id. */
export function listTenants(db: Queryable): Promise<Tenant[]> {
  return selectTenants(db);
}
