import type { Queryable } from '../statements/queryable.ts';

export interface DeviceRef {
  readonly tenantId: string;
  readonly deviceId: string;
}

function columns(devices: readonly DeviceRef[]): unknown[] {
  return [devices.map((device) => device.tenantId), devices.map((device) => device.deviceId)];
}

/** Which of these devices are OFFLINE. */
export async function selectOffline(db: Queryable, devices: readonly DeviceRef[]): Promise<DeviceRef[]> {
  const { rows } = await db.query<{ tenant_id: string; device_id: string }>({
    name: 'select-offline',
    text: `select s.tenant_id, s.device_id
      from unnest($1::text[], $2::text[]) as seen (tenant_id, device_id)
        join device_state s on s.tenant_id = seen.tenant_id and s.device_id = seen.device_id
      where s.status = 'OFFLINE'`,
    values: columns(devices),
  });
  return rows.map((row) => ({ tenantId: row.tenant_id, deviceId: row.device_id }));
}

/**
 * Writes down those that were OFFLINE and are ONLINE now, after this transaction has seen them. Two transactions may
 * both write down one return: it is one event all the same, by its moment.
 */
export async function recordReturns(db: Queryable, wereOffline: readonly DeviceRef[]): Promise<void> {
  await db.query({
    name: 'record-returns',
    text: `insert into route_outbox (kind, due_at, tenant_id, event)
      select 'status', now(), s.tenant_id, jsonb_build_object('device_id', s.device_id, 'status', s.status,
        'previous', 'OFFLINE', 'since', s.status_since)
      from unnest($1::text[], $2::text[]) as was (tenant_id, device_id)
        join device_state s on s.tenant_id = was.tenant_id and s.device_id = was.device_id
      where s.status = 'ONLINE' order by s.tenant_id, s.device_id`,
    values: columns(wereOffline),
  });
}
