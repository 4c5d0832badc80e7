import { int4Array, int8Array, jsonbArray, textArray, timestampArray } from '../binary-arrays.ts';
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

/** Any constant does, as long as every process takes the same. */
const sensorsLock = 7_710_240_007;

/** Inside a transaction, before `upsertSensors`: one at a time, since two in another order would wait for each other. */
export async function lockSensors(db: Queryable): Promise<void> {
  await db.query({ name: 'lock-sensors', text: `select pg_advisory_xact_lock(${sensorsLock})` });
}

// The latest value moves by the smaller of event time and arrival, then seq: neither late data nor a
// clock that runs ahead freezes it. Told is what was not updated: few of many, or none.
const updateText = `
with updated as (
  update sensors s
  set latest = o.value, latest_time = o.time, latest_order = o.latest_order, latest_seq = o.seq,
      value_type = o.value_type
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[], $7::timestamptz[],
              $8::bigint[])
    with ordinality as o (tenant_id, device_id, metric, value_type, value, time, latest_order, seq, position)
  where s.tenant_id = o.tenant_id and s.device_id = o.device_id and s.metric = o.metric
    and (o.latest_order, coalesce(o.seq, -1)) >= (s.latest_order, coalesce(s.latest_seq, -1))
  returning o.position
)
select case when (select count(*) from updated) < cardinality($8::bigint[])
            then array(select p from generate_series(1, cardinality($8::bigint[])) p
                       where not exists (select from updated u where u.position = p)) end as others`;

const insertText = `
with offered as (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[],
                       $7::timestamptz[], $8::bigint[], $9::text[], $10::timestamptz[], $11::int[])
    as o (tenant_id, device_id, metric, value_type, value, time, latest_order, seq, unit, arrived_at, max_sensors)
),
unseen as (
  select o.*, row_number() over (partition by o.tenant_id, o.device_id order by o.metric collate "C") as nth
  from offered o
  where not exists (select from sensors s
                    where s.tenant_id = o.tenant_id and s.device_id = o.device_id and s.metric = o.metric)
    and ($12 or exists (select from devices d where d.tenant_id = o.tenant_id and d.device_id = o.device_id))
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

export interface UpsertOptions {
  /** The devices are known to be registered. Else none is discovered of a device that was deleted meanwhile. */
  readonly registered: boolean;
}

/**
 * Updates the latest values of known sensors and discovers new ones, up to each device's limit.
 * Sensors distinct within the call; the caller holds `lockSensors`. @returns how many were discovered.
 */
export async function upsertSensors(
  db: Queryable,
  values: readonly SensorValue[],
  { registered }: UpsertOptions,
): Promise<number> {
  const { rows } = await db.query<{ others: number[] | null }>({
    name: 'update-sensors',
    text: updateText,
    values: latestColumns(values),
  });
  const positions = rows[0]?.others;
  if (positions === null || positions === undefined) return 0;
  const others = positions.flatMap((position) => values[position - 1] ?? []);
  const inserted = await db.query({
    name: 'insert-sensors',
    text: insertText,
    values: [...latestColumns(others), ...discoveryColumns(others), registered],
  });
  return inserted.rowCount ?? 0;
}

function latestColumns(values: readonly SensorValue[]): Buffer[] {
  return [
    textArray(values, (value) => value.tenantId),
    textArray(values, (value) => value.deviceId),
    textArray(values, (value) => value.metric),
    textArray(values, (value) => value.valueType),
    jsonbArray(values, (value) => value.valueText),
    timestampArray(values, (value) => value.timeUs),
    timestampArray(values, (value) => Math.min(value.timeUs, value.arrivedAtMs * 1_000)),
    int8Array(values, (value) => value.seq),
  ];
}

function discoveryColumns(values: readonly SensorValue[]): Buffer[] {
  return [
    textArray(values, (value) => value.unit),
    timestampArray(values, (value) => value.arrivedAtMs * 1_000),
    int4Array(values, (value) => value.maxSensors),
  ];
}
