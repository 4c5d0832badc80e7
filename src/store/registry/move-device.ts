import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { deviceNotFound } from './registry-error.ts';

/** From now on its messages must name this site. @throws RegistryError `device_not_found`. */
export async function moveDevice(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
  siteId: string,
): Promise<void> {
  const { rowCount } = await db.query({
    text: 'update devices set site_id = $3 where tenant_id = $1 and device_id = $2',
    values: [tenantId, deviceId, siteId],
  });
  if (rowCount !== 1) throw deviceNotFound(tenantId, deviceId);
}
