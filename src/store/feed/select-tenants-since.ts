import type { TenantId } from '../../model/identifiers.ts';
import type { RegisteredTenant } from '../../model/registry.ts';
import type { Queryable } from '../statements/queryable.ts';

interface Row {
  readonly tenant_id: TenantId;
  readonly rate_per_second: number | null;
  readonly burst: number | null;
  readonly device_rate_per_second: number | null;
  readonly device_burst: number | null;
}

/** Tenants that changed after a version. */
export async function selectTenantsSince(db: Queryable, version: number): Promise<RegisteredTenant[]> {
  const { rows } = await db.query<Row>({
    name: 'tenants-since',
    text: `select tenant_id, rate_per_second, burst, device_rate_per_second, device_burst
      from tenants where version > $1`,
    values: [version],
  });
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    ratePerSecond: row.rate_per_second ?? undefined,
    burst: row.burst ?? undefined,
    deviceRatePerSecond: row.device_rate_per_second ?? undefined,
    deviceBurst: row.device_burst ?? undefined,
  }));
}
