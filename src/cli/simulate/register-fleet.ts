import type pg from 'pg';
import type { TenantId } from '../../model/identifiers.ts';
import type { RateLimit } from '../../model/limits.ts';
import { hashToken } from '../../model/token.ts';
import { addTenant } from '../../store/registry/add-tenant.ts';
import { importDevices } from '../../store/registry/import-devices.ts';
import { RegistryError } from '../../store/registry/registry-error.ts';
import { setTenantLimits } from '../../store/registry/set-tenant-limits.ts';
import { change, changeInChunks } from '../audited.ts';
import type { Invocation } from '../define-command.ts';
import { inTableWords } from '../output/json.ts';
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

const batchSize = 2_000;

/** Registers the fleet, or gives devices of an earlier run the tokens and limits of this one. */
export async function registerFleet(
  pool: pg.Pool,
  who: Pick<Invocation, 'environment'>,
  tenantId: TenantId,
  fleet: readonly SimulatedDevice[],
  limits: FleetLimits,
): Promise<void> {
  await putTenant(pool, who, tenantId, limits.tenant);
  const devices = fleet.map(({ deviceId, siteId, token }) => ({
    deviceId,
    siteId,
    tokenSha256: hashToken(token),
    ...limits.device,
  }));
  const imports = Array.from({ length: Math.ceil(devices.length / batchSize) }, (_, at) =>
    devices.slice(at * batchSize, (at + 1) * batchSize),
  );
  await changeInChunks(pool, who, {
    chunk: async (client) => {
      const batch = imports.shift() ?? [];
      await importDevices(client, tenantId, batch, { existing: 'update', batchSize });
      return batch.length;
    },
    note: { tenantId, action: 'device.import', target: 'devices' },
    detailOf: (done) => ({ simulated: done }),
    onProgress: () => undefined,
    stop: new AbortController().signal,
  });
}

async function putTenant(
  pool: pg.Pool,
  who: Pick<Invocation, 'environment'>,
  tenantId: TenantId,
  limit: RateLimit,
): Promise<void> {
  const detail = inTableWords(limit);
  try {
    const name = 'simulated fleet';
    const noteOf = () => ({ action: 'tenant.create', target: tenantId, detail: { name, ...detail } });
    await change(pool, who, (client) => addTenant(client, tenantId, { name, ...limit }), noteOf);
  } catch (error) {
    if (!(error instanceof RegistryError && error.code === 'tenant_exists')) throw error;
    const noteOf = () => ({ tenantId, action: 'tenant.change', target: tenantId, detail });
    await change(pool, who, (client) => setTenantLimits(client, tenantId, limit), noteOf);
  }
}
