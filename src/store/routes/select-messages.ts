import type { JobHead, RoutedMessage } from '../../model/route-job.ts';
import type { Queryable } from '../statements/queryable.ts';
import { isoMicroseconds } from './take-owed.ts';

/** A stored message as a job carries it. */
export interface StoredMessage extends RoutedMessage, Omit<JobHead, 'routeId'> {
  readonly timeUs: number;
}

export interface StoredMessageRow {
  readonly time_us: string;
  readonly identity: string;
  readonly tenant_id: string;
  readonly device_id: string;
  readonly site_id: string;
  readonly msg_type: string;
  readonly seq: bigint | null;
  readonly time: string;
  readonly arrived_at: string;
  readonly metrics: string;
  readonly extra: string | null;
}

/** Of `telemetry t`, for a `StoredMessageRow`; without `time_us`. */
export const storedMessageColumns = `t.identity::text, t.tenant_id, t.device_id, t.site_id, t.msg_type, t.seq,
       to_char(t.time at time zone 'UTC', ${isoMicroseconds}) as time,
       to_char(t.arrived_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as arrived_at, t.metrics, t.extra`;

// A lateral look-up by key: each goes into the one week that its time lies in.
const text = `
select m.time_us::text, ${storedMessageColumns}
from unnest($1::bigint[], $2::uuid[]) as m (time_us, identity)
  cross join lateral (
    select * from telemetry
    where time = timestamptz 'epoch' + m.time_us * interval '1 microsecond' and identity = m.identity
  ) t`;

/** The stored messages of these keys; one that is not there any more is left out. */
export async function selectMessages(
  db: Queryable,
  keys: readonly { readonly timeUs: number; readonly identity: string }[],
): Promise<StoredMessage[]> {
  const { rows } = await db.query<StoredMessageRow>({
    name: 'select-routed-messages',
    text,
    values: [keys.map((key) => key.timeUs), keys.map((key) => key.identity)],
  });
  return rows.map(toStoredMessage);
}

export function toStoredMessage(row: StoredMessageRow): StoredMessage {
  return {
    timeUs: Number(row.time_us),
    identity: row.identity.replaceAll('-', ''),
    tenantId: row.tenant_id,
    deviceId: row.device_id,
    siteId: row.site_id,
    msgType: row.msg_type,
    seq: row.seq === null ? undefined : Number(row.seq),
    time: row.time,
    arrivedAt: row.arrived_at,
    metricsText: row.metrics,
    extraText: row.extra ?? undefined,
  };
}
