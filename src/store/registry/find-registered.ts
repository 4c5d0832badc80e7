import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

/** Which of these devices the tenant has, the revoked ones included. */
export async function findRegistered(
  db: Queryable,
  tenantId: TenantId,
  deviceIds: readonly DeviceId[],
): Promise<ReadonlySet<DeviceId>> {
  const { rows } = await db.query<{ device_id: DeviceId }>({
    text: 'select device_id from devices where tenant_id = $1 and device_id = any($2::text[])',
    values: [tenantId, [...deviceIds]],
  });
  return new Set(rows.map((row) => row.device_id));
}
