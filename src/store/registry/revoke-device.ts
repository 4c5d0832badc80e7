import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { deviceNotFound } from './registry-error.ts';

/**
 * From now on nothing is accepted from the device, and both of its tokens are kept: its messages are known as
 * a revoked device's. Revoking again changes nothing.
 * @returns since when it is revoked.
 * @throws RegistryError `device_not_found`.
 */
export async function revokeDevice(db: Queryable, tenantId: TenantId, deviceId: DeviceId): Promise<Date> {
  const { rows } = await db.query<{ revoked_at: Date }>({
    text: `update devices set revoked_at = coalesce(revoked_at, now())
      where tenant_id = $1 and device_id = $2 returning revoked_at`,
    values: [tenantId, deviceId],
  });
  const row = rows[0];
  if (row === undefined) throw deviceNotFound(tenantId, deviceId);
  return row.revoked_at;
}
