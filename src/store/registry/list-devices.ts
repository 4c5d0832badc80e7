import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { type DeviceRow, deviceColumns, deviceOf } from './device-row.ts';
import type { Device, DeviceStatus } from './types.ts';

export interface DevicePage {
  /** Devices whose id comes after this one, bytewise: the last one of the page before. */
  readonly afterDeviceId?: string | undefined;
  readonly limit: number;
  readonly siteId?: string | undefined;
  readonly status?: DeviceStatus | undefined;
  readonly revoked?: boolean | undefined;
  /** Part of the device's or the site's id, in any case of letters. */
  readonly search?: string | undefined;
}

/** A tenant's devices by id, one page of them; fewer than `limit` means that it was the last. */
export async function listDevices(db: Queryable, tenantId: TenantId, page: DevicePage): Promise<Device[]> {
  const { rows } = await db.query<DeviceRow>({
    text: `select ${deviceColumns}
      from devices d left join device_state s using (tenant_id, device_id)
      where d.tenant_id = $1 and d.device_id > $2
        and ($4::text is null or d.site_id = $4)
        and ($5::text is null or s.status = $5)
        and ($6::boolean is null or (d.revoked_at is not null) = $6)
        and ($7::text is null or position(lower($7) in lower(d.device_id || ' ' || d.site_id)) > 0)
      order by d.device_id limit $3`,
    values: [
      tenantId,
      page.afterDeviceId ?? '',
      page.limit,
      page.siteId,
      page.status,
      page.revoked,
      page.search,
    ],
  });
  return rows.map(deviceOf);
}
