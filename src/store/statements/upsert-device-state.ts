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
// Sorted: whoever holds a device's row here may touch the device's sensors after.
const text = `
insert into device_state as known (tenant_id, device_id, last_seen_at, last_msg_type, status, status_since)
select tenant_id, device_id, seen_at, msg_type,
       case when seen_at > now() - $5 * interval '1 ms' then 'ONLINE'
            when seen_at > now() - $6 * interval '1 ms' then 'STALE' else 'OFFLINE' end,
       case when seen_at > now() - $5 * interval '1 ms' then seen_at
            when seen_at > now() - $6 * interval '1 ms' then seen_at + $5 * interval '1 ms'
            else seen_at + $6 * interval '1 ms' end
from (
  select tenant_id, device_id, msg_type, timestamptz 'epoch' + seen_ms * interval '1 millisecond' as seen_at
  from unnest($1::text[], $2::text[], $3::float8[], $4::text[]) as seen (tenant_id, device_id, seen_ms, msg_type)
) seen
order by tenant_id collate "C", device_id collate "C"
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
  await db.query({
    name: 'upsert-device-state',
    text,
    values: [
      seen.map((device) => device.tenantId),
      seen.map((device) => device.deviceId),
      seen.map((device) => device.lastSeenAtMs),
      seen.map((device) => device.msgType),
      thresholds.staleAfterMs,
      thresholds.offlineAfterMs,
    ],
  });
}
