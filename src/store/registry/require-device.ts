import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { deviceNotFound } from './registry-error.ts';

/** @throws RegistryError `device_not_found`. */
export async function requireDevice(db: Queryable, tenantId: TenantId, deviceId: DeviceId): Promise<void> {
  const { rows } = await db.query({
    text: 'select 1 from devices where tenant_id = $1 and device_id = $2',
    values: [tenantId, deviceId],
  });
  if (rows.length === 0) throw deviceNotFound(tenantId, deviceId);
}
