import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { constraintOf } from '../errors.ts';
import type { Queryable } from '../statements/queryable.ts';
import { RegistryError, tenantNotFound } from './registry-error.ts';
import type { DeviceLimits } from './types.ts';

export interface NewDevice extends Partial<DeviceLimits> {
  readonly deviceId: DeviceId;
  /** 1 to 128 characters. */
  readonly siteId: string;
  /** SHA-256 of its token; without one every message of it is quarantined as TOKEN_NOT_SET. */
  readonly tokenSha256?: Uint8Array | undefined;
}

/** @throws RegistryError `device_exists`, `tenant_not_found`. */
export async function addDevice(db: Queryable, tenantId: TenantId, device: NewDevice): Promise<void> {
  const { deviceId, siteId, tokenSha256, ratePerSecond, burst, maxSensors } = device;
  let added: number | null;
  try {
    const result = await db.query({
      text: `insert into devices (tenant_id, device_id, site_id, token_sha256, rate_per_second, burst, max_sensors)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
      values: [tenantId, deviceId, siteId, tokenSha256, ratePerSecond, burst, maxSensors],
    });
    added = result.rowCount;
  } catch (error) {
    if (constraintOf(error) === 'devices_tenant_id_fkey') throw tenantNotFound(tenantId);
    throw error;
  }
  if (added === 1) return;
  throw new RegistryError(
    'device_exists',
    `Tenant ${tenantId} has a device ${deviceId} already: \`tributary device rotate\` gives it a new token.`,
  );
}
