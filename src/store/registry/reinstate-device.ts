import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { deviceNotFound } from './registry-error.ts';

/** Takes a revocation back: its tokens are valid again. Does nothing to a device that is not revoked. @throws RegistryError `device_not_found`. */
export async function reinstateDevice(db: Queryable, tenantId: TenantId, deviceId: DeviceId): Promise<void> {
  const { rowCount } = await db.query({
    text: 'update devices set revoked_at = null where tenant_id = $1 and device_id = $2',
    values: [tenantId, deviceId],
  });
  if (rowCount !== 1) throw deviceNotFound(tenantId, deviceId);
}
