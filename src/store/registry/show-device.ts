import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { type DeviceRow, deviceColumns, deviceOf } from './device-row.ts';
import { deviceNotFound } from './registry-error.ts';
import type { Device } from './types.ts';

export interface DeviceDetails extends Device {
  /** How many sensors were discovered on it. */
  readonly sensors: number;
  readonly lastMsgType: string | undefined;
}

/** @throws RegistryError `device_not_found`. */
export async function showDevice(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
): Promise<DeviceDetails> {
  const { rows } = await db.query<DeviceRow & { sensors: bigint; last_msg_type: string | null }>({
    text: `select ${deviceColumns}, s.last_msg_type,
        (select count(*) from sensors n where n.tenant_id = d.tenant_id and n.device_id = d.device_id) as sensors
      from devices d left join device_state s using (tenant_id, device_id)
      where d.tenant_id = $1 and d.device_id = $2`,
    values: [tenantId, deviceId],
  });
  const row = rows[0];
  if (row === undefined) throw deviceNotFound(tenantId, deviceId);
  return { ...deviceOf(row), sensors: Number(row.sensors), lastMsgType: row.last_msg_type ?? undefined };
}
