import type { Queryable } from './queryable.ts';

export interface TelemetryRow {
  /** Event time, µs since the epoch. */
  readonly timeUs: number;
  /** 32 hex digits. */
  readonly identity: string;
  readonly tenantId: string;
  readonly deviceId: string;
  readonly siteId: string;
  readonly msgType: string;
  readonly seq: number | undefined;
  /** JSON text, numbers exactly as sent. */
  readonly metricsText: string;
  readonly extraText: string | undefined;
  readonly arrivedAtMs: number;
  readonly epoch: number;
  readonly streamSeq: number;
}

// In the unique key's order: two workers that hold the same identities cannot deadlock, and the first
// of two equal identities in one batch is the one that is stored.
const text = `
insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, seq, metrics, extra,
                       arrived_at, stream_epoch, stream_seq)
select timestamptz 'epoch' + time_us * interval '1 microsecond' as time, identity, tenant_id, device_id, site_id,
       msg_type, seq, metrics, extra,
       timestamptz 'epoch' + arrived_ms * interval '1 millisecond', epoch, stream_seq
from unnest($1::float8[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::jsonb[],
            $9::jsonb[], $10::float8[], $11::int[], $12::bigint[])
  as offered (time_us, identity, tenant_id, device_id, site_id, msg_type, seq, metrics, extra, arrived_ms, epoch,
              stream_seq)
order by time_us, identity, stream_seq
on conflict (time, identity) do nothing
returning stream_seq::text`;

/**
 * Inserts readings whose identity is new.
 * @returns the stream sequences that became rows; the others are duplicates.
 */
export async function insertTelemetry(db: Queryable, rows: readonly TelemetryRow[]): Promise<Set<number>> {
  const result = await db.query<{ stream_seq: string }>({
    name: 'insert-telemetry',
    text,
    values: [
      rows.map((row) => row.timeUs),
      rows.map((row) => row.identity),
      rows.map((row) => row.tenantId),
      rows.map((row) => row.deviceId),
      rows.map((row) => row.siteId),
      rows.map((row) => row.msgType),
      rows.map((row) => row.seq ?? null),
      rows.map((row) => row.metricsText),
      rows.map((row) => row.extraText ?? null),
      rows.map((row) => row.arrivedAtMs),
      rows.map((row) => row.epoch),
      rows.map((row) => row.streamSeq),
    ],
  });
  return new Set(result.rows.map((row) => Number(row.stream_seq)));
}
