import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

/** Whether a device is registered, or was and has left readings. */
export async function isKnownDevice(db: Queryable, tenantId: TenantId, deviceId: DeviceId): Promise<boolean> {
  const { rows } = await db.query<{ known: boolean }>({
    text: `select exists (select from devices where tenant_id = $1 and device_id = $2)
               or exists (select from telemetry where tenant_id = $1 and device_id = $2) as known`,
    values: [tenantId, deviceId],
  });
  return rows[0]?.known === true;
}
