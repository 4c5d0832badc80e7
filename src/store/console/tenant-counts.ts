import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface TenantDevices {
  readonly online: number;
  readonly stale: number;
  readonly offline: number;
  /** Registered, and never heard of. */
  readonly silent: number;
}

/** How many of a tenant's devices are in which state. */
export async function countTenantDevices(db: Queryable, tenantId: TenantId): Promise<TenantDevices> {
  const { rows } = await db.query<TenantDevices>({
    text: `select count(*) filter (where s.status = 'ONLINE')::int as online,
        count(*) filter (where s.status = 'STALE')::int as stale,
        count(*) filter (where s.status = 'OFFLINE')::int as offline,
        count(*) filter (where s.status is null)::int as silent
      from devices d left join device_state s using (tenant_id, device_id) where d.tenant_id = $1`,
    values: [tenantId],
  });
  return rows[0] ?? { online: 0, stale: 0, offline: 0, silent: 0 };
}
