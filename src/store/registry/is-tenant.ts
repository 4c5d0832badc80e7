import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

export async function isTenant(db: Queryable, tenantId: TenantId): Promise<boolean> {
  const { rows } = await db.query({
    name: 'is-tenant',
    text: 'select from tenants where tenant_id = $1',
    values: [tenantId],
  });
  return rows.length > 0;
}
