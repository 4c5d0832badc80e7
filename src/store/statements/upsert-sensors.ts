import type { Queryable } from './queryable.ts';

export interface SensorValue {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly metric: string;
  readonly valueType: 'number' | 'boolean' | 'string';
  readonly unit: string | undefined;
  /** The value as JSON text, exactly as sent. */
  readonly valueText: string;
  /** Event time, µs since the epoch. */
  readonly timeUs: number;
  readonly arrivedAtMs: number;
  readonly seq: number | undefined;
  /** How many sensors the device may have. */
  readonly maxSensors: number;
}

const offered = `
  select *, timestamptz 'epoch' + time_us * interval '1 microsecond' as time,
         timestamptz 'epoch' + least(time_us, arrived_ms * 1000) * interval '1 microsecond' as latest_order,
         timestamptz 'epoch' + arrived_ms * interval '1 millisecond' as arrived_at
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::float8[], $8::float8[],
              $9::bigint[], $10::int[])
    with ordinality as o (tenant_id, device_id, metric, value_type, unit, value, time_us, arrived_ms, seq, max_sensors,
                          position)`;

// The latest value moves by the smaller of event time and arrival, then seq: neither late data nor a
// clock that runs ahead freezes it. The caller holds the devices' rows of device_state.
const updateText = `
with offered as (${offered})
update sensors s
set latest = o.value, latest_time = o.time, latest_order = o.latest_order, latest_seq = o.seq,
    value_type = o.value_type
from offered o
where s.tenant_id = o.tenant_id and s.device_id = o.device_id and s.metric = o.metric
  and (o.latest_order, coalesce(o.seq, -1)) >= (s.latest_order, coalesce(s.latest_seq, -1))
returning o.position::int`;

const insertText = `
with offered as (${offered}),
unseen as (
  select o.*, row_number() over (partition by o.tenant_id, o.device_id order by o.metric collate "C") as nth
  from offered o
  where not exists (select from sensors s
                    where s.tenant_id = o.tenant_id and s.device_id = o.device_id and s.metric = o.metric)
),
known as (
  select u.tenant_id, u.device_id, (select count(*) from sensors s
                                    where s.tenant_id = u.tenant_id and s.device_id = u.device_id) as sensors
  from (select distinct tenant_id, device_id from unseen) u
)
insert into sensors (tenant_id, device_id, metric, value_type, unit, discovered_at, latest, latest_time, latest_order,
                     latest_seq)
select u.tenant_id, u.device_id, u.metric, u.value_type, u.unit, u.arrived_at, u.value, u.time, u.latest_order, u.seq
from unseen u join known k on k.tenant_id = u.tenant_id and k.device_id = u.device_id
where k.sensors + u.nth <= u.max_sensors
on conflict do nothing`;

/**
 * Updates the latest values of known sensors and discovers new ones, up to each device's limit.
 * Sensors distinct within the call. @returns how many were discovered.
 */
export async function upsertSensors(db: Queryable, values: readonly SensorValue[]): Promise<number> {
  const updated = await db.query<{ position: number }>({
    name: 'update-sensors',
    text: updateText,
    values: columns(values),
  });
  const known = new Set(updated.rows.map((row) => row.position));
  const others = values.filter((_, index) => !known.has(index + 1));
  if (others.length === 0) return 0;
  const inserted = await db.query({ name: 'insert-sensors', text: insertText, values: columns(others) });
  return inserted.rowCount ?? 0;
}

function columns(values: readonly SensorValue[]): unknown[] {
  return [
    values.map((value) => value.tenantId),
    values.map((value) => value.deviceId),
    values.map((value) => value.metric),
    values.map((value) => value.valueType),
    values.map((value) => value.unit ?? null),
    values.map((value) => value.valueText),
    values.map((value) => value.timeUs),
    values.map((value) => value.arrivedAtMs),
    values.map((value) => value.seq ?? null),
    values.map((value) => value.maxSensors),
  ];
}
