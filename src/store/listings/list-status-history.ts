import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { isoTime } from './conditions.ts';

export interface StatusSpan {
  readonly status: 'ONLINE' | 'STALE' | 'OFFLINE';
  readonly since: string;
  /** Null: it still is. */
  readonly until: string | null;
}

export interface StatusHistoryPage {
  /** RFC 3339: spans that began before this. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** What a device was, the latest first. */
export async function listStatusHistory(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
  { before, limit }: StatusHistoryPage,
): Promise<StatusSpan[]> {
  const { rows } = await db.query<StatusSpan>({
    text: `select status, ${isoTime('h.since')} as since,
        (select ${isoTime('min(n.since)')} from device_status_history n
         where n.tenant_id = h.tenant_id and n.device_id = h.device_id and n.since > h.since) as until
      from device_status_history h
      where tenant_id = $1 and device_id = $2 and ($3::timestamptz is null or since < $3::timestamptz)
      order by h.since desc limit $4`,
    values: [tenantId, deviceId, before, limit],
  });
  return rows;
}
