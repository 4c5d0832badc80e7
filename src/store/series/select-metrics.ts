import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

/** The metrics of a device, by name; `numbers`: only those whose latest value is a number. */
export async function selectMetrics(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
  { numbers = false, limit }: { readonly numbers?: boolean; readonly limit: number },
): Promise<string[]> {
  const { rows } = await db.query<{ metric: string }>({
    text: `select metric from sensors
      where tenant_id = $1 and device_id = $2 and (value_type = 'number' or not $3) order by metric limit $4`,
    values: [tenantId, deviceId, numbers, limit],
  });
  return rows.map(({ metric }) => metric);
}
