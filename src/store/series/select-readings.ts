import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { isoTime } from '../listings/conditions.ts';
import type { Queryable } from '../statements/queryable.ts';

/** Where a reading stands in the order of event time, then identity. */
export interface ReadingKey {
  readonly time: string;
  readonly identity: string;
}

export interface ReadingsQuery {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** Event time, RFC 3339: from here … */
  readonly from?: string | undefined;
  /** … to before here. */
  readonly to?: string | undefined;
  /** Only these of the metrics, and only messages that have one of them. */
  readonly metrics?: readonly string[] | undefined;
  readonly order: 'asc' | 'desc';
  /** Go on behind this one. */
  readonly after?: ReadingKey | undefined;
  readonly limit: number;
}

export interface ReadingRow extends ReadingKey {
  readonly site_id: string;
  readonly msg_type: string;
  readonly seq: bigint | null;
  /** JSON text, numbers as sent. */
  readonly metrics: string;
  readonly extra: string | null;
  readonly arrived_at: string;
}

/** A page of a device's readings. Times are ISO 8601 with microseconds. */
export async function selectReadings(db: Queryable, query: ReadingsQuery): Promise<ReadingRow[]> {
  const { order, metrics, after } = query;
  const values: unknown[] = [query.tenantId, query.deviceId];
  const named = (value: unknown, type: string) => `$${values.push(value)}::${type}`;
  const conditions = ['tenant_id = $1', 'device_id = $2'];
  if (query.from !== undefined) conditions.push(`time >= ${named(query.from, 'timestamptz')}`);
  if (query.to !== undefined) conditions.push(`time < ${named(query.to, 'timestamptz')}`);
  if (after !== undefined) {
    const beyond = order === 'asc' ? '>' : '<';
    const time = named(after.time, 'timestamptz');
    // The first is for the index and the weeks, the second for readings of the same moment.
    conditions.push(
      `time ${beyond}= ${time}`,
      `(time, identity) ${beyond} (${time}, ${named(after.identity, 'uuid')})`,
    );
  }
  let shown = 'metrics';
  if (metrics !== undefined) {
    const wanted = named(metrics, 'text[]');
    conditions.push(`jsonb_exists_any(metrics, ${wanted})`);
    shown = `(select jsonb_object_agg(key, value) from jsonb_each(metrics) where key = any(${wanted}))`;
  }
  const { rows } = await db.query<ReadingRow>({
    text: `
      select ${isoTime('time')} as time, identity, site_id, msg_type, seq, ${shown} as metrics, extra,
             ${isoTime('arrived_at')} as arrived_at
      from telemetry t where ${conditions.join(' and ')}
      order by t.time ${order}, identity ${order} limit ${Math.trunc(query.limit)}`,
    values,
  });
  return rows;
}
