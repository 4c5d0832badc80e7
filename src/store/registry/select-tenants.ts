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

export interface TenantPage {
  /** This one only. */
  readonly tenantId?: TenantId | undefined;
  /** Tenants whose id comes after this one, bytewise. */
  readonly afterTenantId?: string | undefined;
  /** Part of the id or the name, in any case of letters. */
  readonly search?: string | undefined;
  /** Undefined: all. */
  readonly limit?: number | undefined;
}

/** Tenants by id. */
export async function selectTenants(db: Queryable, page: TenantPage = {}): Promise<Tenant[]> {
  const { rows } = await db.query<Row>({
    text: `select t.tenant_id, t.name, t.rate_per_second, t.burst, t.device_rate_per_second, t.device_burst,
        t.created_at, (select count(*) from devices d where d.tenant_id = t.tenant_id) as devices
      from tenants t
      where ($1::text is null or t.tenant_id = $1) and t.tenant_id > $2
        and ($3::text is null or position(lower($3) in lower(t.tenant_id || ' ' || t.name)) > 0)
      order by t.tenant_id limit $4`,
    values: [page.tenantId, page.afterTenantId ?? '', page.search, page.limit],
  });
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    name: row.name,
    devices: Number(row.devices),
    ratePerSecond: row.rate_per_second ?? undefined,
    burst: row.burst ?? undefined,
    deviceRatePerSecond: row.device_rate_per_second ?? undefined,
    deviceBurst: row.device_burst ?? undefined,
    createdAt: row.created_at,
  }));
}
