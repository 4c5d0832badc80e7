import type { RegisteredDevice } from '../../model/registry.ts';
import {
  type RegisteredDeviceRow,
  registeredDeviceColumns,
  registeredDeviceOf,
} from '../feed/select-devices-since.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface DeviceAddress {
  readonly tenantId: string;
  readonly deviceId: string;
}

/** Those of the devices that are registered, as they are now. */
export async function selectDevices(
  db: Queryable,
  wanted: readonly DeviceAddress[],
): Promise<RegisteredDevice[]> {
  const { rows } = await db.query<RegisteredDeviceRow>({
    name: 'select-devices',
    text: `select ${registeredDeviceColumns} from devices
      where (tenant_id, device_id) in (select * from unnest($1::text[], $2::text[]))`,
    values: [wanted.map((device) => device.tenantId), wanted.map((device) => device.deviceId)],
  });
  return rows.map(registeredDeviceOf);
}
