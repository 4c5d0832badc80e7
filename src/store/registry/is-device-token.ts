import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

/** Whether this is the current token of a device that is not revoked; `false` for an unknown device, too. */
export async function isDeviceToken(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
  tokenSha256: Uint8Array,
): Promise<boolean> {
  const { rowCount } = await db.query({
    text: `select 1 from devices
      where tenant_id = $1 and device_id = $2 and token_sha256 = $3 and revoked_at is null`,
    values: [tenantId, deviceId, tokenSha256],
  });
  return rowCount === 1;
}
