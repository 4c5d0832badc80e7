import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { tenantNotFound } from './registry-error.ts';
import type { LimitChanges, TenantLimits } from './types.ts';

/** Changes what is given. @throws RegistryError `tenant_not_found`. */
export async function setTenantLimits(
  db: Queryable,
  tenantId: TenantId,
  limits: LimitChanges<TenantLimits>,
): Promise<void> {
  const { ratePerSecond, burst, deviceRatePerSecond, deviceBurst } = limits;
  const { rowCount } = await db.query({
    text: `update tenants set
        rate_per_second = case when $2 then $3 else rate_per_second end,
        burst = case when $4 then $5 else burst end,
        device_rate_per_second = case when $6 then $7 else device_rate_per_second end,
        device_burst = case when $8 then $9 else device_burst end
      where tenant_id = $1`,
    values: [
      tenantId,
      ...[ratePerSecond, burst, deviceRatePerSecond, deviceBurst].flatMap((limit) => [
        limit !== undefined,
        limit,
      ]),
    ],
  });
  if (rowCount !== 1) throw tenantNotFound(tenantId);
}
