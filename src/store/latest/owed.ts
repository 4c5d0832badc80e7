import { textArray, timestampArray, uuidArray } from '../binary-arrays.ts';
import type { Queryable } from '../statements/queryable.ts';
import type { SensorValue } from '../statements/upsert-sensors.ts';

/** Where a reading lies in `telemetry`. */
export interface ReadingKey {
  /** Event time, µs since the epoch. */
  readonly timeUs: number;
  /** 32 hex digits. */
  readonly identity: string;
}

/**
 * Writes down, in the transaction that stores them, whose values are to become latest values.
 * @returns the row's number
 */
export async function owe(db: Queryable, readings: readonly ReadingKey[]): Promise<string> {
  const { rows } = await db.query<{ owed_id: string }>({
    name: 'owe-latest',
    text: `insert into latest_owed (times, identities) values ($1::timestamptz[], $2::uuid[])
           returning owed_id::text`,
    values: [
      timestampArray(readings, ({ timeUs }) => timeUs),
      uuidArray(readings, ({ identity }) => identity),
    ],
  });
  const [row] = rows;
  if (row === undefined) throw new Error('latest_owed took no row');
  return row.owed_id;
}

/** Numbers of the rows that are there, oldest first. */
export async function listOwed(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ owed_id: string }>({
    name: 'list-owed',
    text: 'select owed_id::text from latest_owed order by latest_owed.owed_id limit 1000',
  });
  return rows.map(({ owed_id }) => owed_id);
}

export async function deleteOwed(db: Queryable, owed: readonly string[]): Promise<void> {
  await db.query({
    name: 'delete-owed',
    text: 'delete from latest_owed where owed_id = any($1::text[]::bigint[])',
    values: [textArray(owed, (id) => id)],
  });
}

const readText = `
with keys as materialized (
  select k.time, k.identity
  from latest_owed o, unnest(o.times, o.identities) as k (time, identity)
  where o.owed_id = any($1::text[]::bigint[])
),
found as (
  select t.tenant_id, t.device_id, m.key as metric, m.value, t.time, t.arrived_at, t.seq
  from keys k join telemetry t using (time, identity), jsonb_each(t.metrics) m
  where jsonb_typeof(m.value) in ('number', 'boolean', 'string')
)
select distinct on (f.tenant_id, f.device_id, f.metric)
       f.tenant_id as "tenantId", f.device_id as "deviceId", f.metric, jsonb_typeof(f.value) as "valueType",
       f.value::text as "valueText", (extract(epoch from f.time) * 1000000)::bigint::text as "timeUs",
       (extract(epoch from f.arrived_at) * 1000)::float8 as "arrivedAtMs", f.seq::text as seq,
       coalesce(d.max_sensors, $2) as "maxSensors"
from found f left join devices d on d.tenant_id = f.tenant_id and d.device_id = f.device_id
order by f.tenant_id, f.device_id, f.metric, least(f.time, f.arrived_at) desc, coalesce(f.seq, -1) desc`;

interface OwedRow extends Omit<SensorValue, 'timeUs' | 'seq' | 'unit'> {
  readonly timeUs: string;
  readonly seq: string | null;
}

/**
 * The latest values among the readings of these rows, out of `telemetry`; readings that are gone give none.
 * @param maxSensors of a device that has no number of its own
 * @param unitOf what a metric's name says of its unit
 */
export async function readOwed(
  db: Queryable,
  owed: readonly string[],
  maxSensors: number,
  unitOf: (metric: string) => string | undefined,
): Promise<SensorValue[]> {
  const { rows } = await db.query<OwedRow>({
    name: 'read-owed',
    text: readText,
    values: [textArray(owed, (id) => id), maxSensors],
  });
  return rows.map((row) => ({
    ...row,
    timeUs: Number(row.timeUs),
    seq: row.seq === null ? undefined : Number(row.seq),
    unit: unitOf(row.metric),
  }));
}
