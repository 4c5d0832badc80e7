import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { RegistryError } from './registry-error.ts';
import type { TenantLimits } from './types.ts';

export interface NewTenant extends Partial<TenantLimits> {
  readonly name?: string | undefined;
}

/** @throws RegistryError `tenant_exists`. */
export async function addTenant(db: Queryable, tenantId: TenantId, tenant: NewTenant = {}): Promise<void> {
  const { rowCount } = await db.query({
    text: `insert into tenants (tenant_id, name, rate_per_second, burst, device_rate_per_second, device_burst)
      values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    values: [
      tenantId,
      tenant.name ?? '',
      tenant.ratePerSecond,
      tenant.burst,
      tenant.deviceRatePerSecond,
      tenant.deviceBurst,
    ],
  });
  if (rowCount === 1) return;
  throw new RegistryError('tenant_exists', `Tenant ${tenantId} exists already: choose another id.`);
}
