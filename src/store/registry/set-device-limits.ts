import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { deviceNotFound } from './registry-error.ts';
import type { DeviceLimits, LimitChanges } from './types.ts';

/** Changes what is given. @throws RegistryError `device_not_found`. */
export async function setDeviceLimits(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
  limits: LimitChanges<DeviceLimits>,
): Promise<void> {
  const { ratePerSecond, burst, maxSensors } = limits;
  const { rowCount } = await db.query({
    text: `update devices set
        rate_per_second = case when $3 then $4 else rate_per_second end,
        burst = case when $5 then $6 else burst end,
        max_sensors = case when $7 then $8 else max_sensors end
      where tenant_id = $1 and device_id = $2`,
    values: [
      tenantId,
      deviceId,
      ...[ratePerSecond, burst, maxSensors].flatMap((limit) => [limit !== undefined, limit]),
    ],
  });
  if (rowCount !== 1) throw deviceNotFound(tenantId, deviceId);
}
