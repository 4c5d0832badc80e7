import { textArray, timestampArray } from '../binary-arrays.ts';
import type { Queryable } from './queryable.ts';

export interface DeviceSeen {
  readonly tenantId: string;
  readonly deviceId: string;
  /** Arrival of the device's newest message in the batch. */
  readonly lastSeenAtMs: number;
  readonly msgType: string;
}

export interface StatusThresholds {
  readonly staleAfterMs: number;
  readonly offlineAfterMs: number;
}

// A backlog may bring messages that arrived long ago: those do not make a device ONLINE.
const text = `
insert into device_state as known (tenant_id, device_id, last_seen_at, last_msg_type, status, status_since)
select tenant_id, device_id, seen_at, msg_type,
       case when seen_at > now() - $5 * interval '1 ms' then 'ONLINE'
            when seen_at > now() - $6 * interval '1 ms' then 'STALE' else 'OFFLINE' end,
       case when seen_at > now() - $5 * interval '1 ms' then seen_at
            when seen_at > now() - $6 * interval '1 ms' then seen_at + $5 * interval '1 ms'
            else seen_at + $6 * interval '1 ms' end
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) as seen (tenant_id, device_id, seen_at, msg_type)
on conflict (tenant_id, device_id) do update set
  last_seen_at = excluded.last_seen_at,
  last_msg_type = excluded.last_msg_type,
  status = case when excluded.status = 'ONLINE' then 'ONLINE' else known.status end,
  status_since = case when excluded.status = 'ONLINE' and known.status <> 'ONLINE' then excluded.last_seen_at
                      else known.status_since end
where excluded.last_seen_at >= known.last_seen_at`;

/** Moves devices' last-seen forward, never back, and makes them ONLINE. Devices distinct within the call. */
export async function upsertDeviceState(
  db: Queryable,
  seen: readonly DeviceSeen[],
  thresholds: StatusThresholds,
): Promise<void> {
  const sorted = seen.toSorted(inOrderOfKey);
  await db.query({
    name: 'upsert-device-state',
    text,
    values: [
      textArray(sorted, (device) => device.tenantId),
      textArray(sorted, (device) => device.deviceId),
      timestampArray(sorted, (device) => device.lastSeenAtMs * 1_000),
      textArray(sorted, (device) => device.msgType),
      thresholds.staleAfterMs,
      thresholds.offlineAfterMs,
    ],
  });
}

/**
 * Rows are taken as they are sent, by all workers in this order: whoever holds a device's row may touch the device's
 * sensors after. Identifiers are ASCII, so this is the order of the collation "C", too.
 */
function inOrderOfKey(a: DeviceSeen, b: DeviceSeen): number {
  if (a.tenantId !== b.tenantId) return a.tenantId < b.tenantId ? -1 : 1;
  return a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : 0;
}
