import type pg from 'pg';
import type { Numbered } from '../../model/gap-map.ts';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';

export interface DeviceRange {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** Event time, ms since the epoch: from here … */
  readonly fromMs: number;
  /** … to before here. */
  readonly toMs: number;
}

const pageSize = 5_000;

/** For `$3` and `$4` of a statement: event time in ms since the epoch. */
export const rangeCondition = `tenant_id = $1 and device_id = $2
  and time >= timestamptz 'epoch' + $3::float8 * interval '1 millisecond'
  and time < timestamptz 'epoch' + $4::float8 * interval '1 millisecond'`;

const text = `declare numbers no scroll cursor for
  select seq::float8 as seq, (extract(epoch from time) * 1000000)::float8 as "timeUs",
         (extract(epoch from arrived_at) * 1000000)::float8 as "arrivedUs"
  from telemetry where ${rangeCondition} and seq is not null
  order by time, arrived_at, stream_epoch, stream_seq`;

/** The numbers of a device's messages in the order of event time, page by page. Inside a transaction, once. */
export async function* selectNumbers(client: pg.PoolClient, range: DeviceRange): AsyncGenerator<Numbered[]> {
  await client.query(text, [range.tenantId, range.deviceId, range.fromMs, range.toMs]);
  for (;;) {
    const { rows } = await client.query<Numbered>(`fetch ${pageSize} from numbers`);
    if (rows.length > 0) yield rows;
    if (rows.length < pageSize) break;
  }
  await client.query('close numbers');
}

/** How many of a device's messages carry no number. */
export async function countUnnumbered(client: pg.PoolClient, range: DeviceRange): Promise<number> {
  const { rows } = await client.query<{ messages: number }>(
    `select count(*)::float8 as messages from telemetry where ${rangeCondition} and seq is null`,
    [range.tenantId, range.deviceId, range.fromMs, range.toMs],
  );
  return rows[0]?.messages ?? 0;
}
