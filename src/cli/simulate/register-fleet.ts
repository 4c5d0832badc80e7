import type pg from 'pg';
import type { TenantId } from '../../model/identifiers.ts';
import type { RateLimit } from '../../model/limits.ts';
import { hashToken } from '../../model/token.ts';
import { addTenant } from '../../store/registry/add-tenant.ts';
import { importDevices } from '../../store/registry/import-devices.ts';
import { RegistryError } from '../../store/registry/registry-error.ts';

import { setTenantLimits } from '../../store/registry/set-tenant-limits.ts';
import type { SimulatedDevice } from './fleet.ts';

export interface FleetLimits {
  readonly tenant: RateLimit;
  readonly device: RateLimit;
}

/**
 * Limits that this fleet stays clear of: a simulation is not about the rate limiter. A rate and a burst of twice what
 * is sent, with room for chance.
 */
export function limitsFor(devices: number, ratePerSecond: number): FleetLimits {
  const generous = (rate: number): RateLimit => ({
    ratePerSecond: Math.ceil(Math.max(5, 2 * rate)),
    burst: Math.ceil(Math.max(50, 20 * rate)),
  });
  return { tenant: generous(Math.max(ratePerSecond, 100)), device: generous(ratePerSecond / devices) };
}

/** Registers the fleet, or gives devices of an earlier run the tokens and limits of this one. */
export async function registerFleet(
  pool: pg.Pool,
  tenantId: TenantId,
  fleet: readonly SimulatedDevice[],
  limits: FleetLimits,
): Promise<void> {
  try {
    await addTenant(pool, tenantId, { name: 'simulated fleet', ...limits.tenant });
  } catch (error) {
    if (!(error instanceof RegistryError && error.code === 'tenant_exists')) throw error;
    await setTenantLimits(pool, tenantId, limits.tenant);
  }
  const devices = fleet.map(({ deviceId, siteId, token }) => ({
    deviceId,
    siteId,
    tokenSha256: hashToken(token),
    ...limits.device,
  }));
  await importDevices(pool, tenantId, devices, { existing: 'update' });
}
