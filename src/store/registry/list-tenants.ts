import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import type { Tenant } from './types.ts';

interface Row {
  readonly tenant_id: TenantId;
  readonly name: string;
  readonly rate_per_second: number | null;
  readonly burst: number | null;
  readonly device_rate_per_second: number | null;
  readonly device_burst: number | null;
  readonly created_at: Date;
  readonly devices: bigint;
}

/** All tenants by id. */
export async function listTenants(db: Queryable): Promise<Tenant[]> {
  const { rows } = await db.query<Row>({
    text: `select t.tenant_id, t.name, t.rate_per_second, t.burst, t.device_rate_per_second, t.device_burst,
        t.created_at, (select count(*) from devices d where d.tenant_id = t.tenant_id) as devices
      from tenants t order by t.tenant_id`,
  });
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    name: row.name,
    ratePerSecond: row.rate_per_second ?? undefined,
    burst: row.burst ?? undefined,
    deviceRatePerSecond: row.device_rate_per_second ?? undefined,
    deviceBurst: row.device_burst ?? undefined,
    createdAt: row.created_at,
    devices: Number(row.devices),
  }));
}
