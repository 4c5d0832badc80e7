import { int4Array, int8Array, jsonbArray, textArray, timestampArray, uuidArray } from '../binary-arrays.ts';
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

// What became rows is told only when something did not: usually all do.
const text = `
with stored as (
  insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, seq, metrics, extra,
                         arrived_at, stream_epoch, stream_seq)
  select * from unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                       $8::jsonb[], $9::jsonb[], $10::timestamptz[], $11::int[], $12::bigint[])
  on conflict (time, identity) do nothing
  returning stream_seq
)
select case when (select count(*) from stored) < cardinality($12::bigint[])
            then array(select stream_seq::text from stored) end as stored`;

/**
 * Inserts readings whose identity is new.
 * @returns the stream sequences that became rows; the others are duplicates.
 */
export async function insertTelemetry(db: Queryable, rows: readonly TelemetryRow[]): Promise<Set<number>> {
  const sorted = rows.toSorted(inOrderOfKey);
  const result = await db.query<{ stored: string[] | null }>({
    name: 'insert-telemetry',
    text,
    values: [
      timestampArray(sorted, (row) => row.timeUs),
      uuidArray(sorted, (row) => row.identity),
      textArray(sorted, (row) => row.tenantId),
      textArray(sorted, (row) => row.deviceId),
      textArray(sorted, (row) => row.siteId),
      textArray(sorted, (row) => row.msgType),
      int8Array(sorted, (row) => row.seq),
      jsonbArray(sorted, (row) => row.metricsText),
      jsonbArray(sorted, (row) => row.extraText),
      timestampArray(sorted, (row) => row.arrivedAtMs * 1_000),
      int4Array(sorted, (row) => row.epoch),
      int8Array(sorted, (row) => row.streamSeq),
    ],
  });
  const stored = result.rows[0]?.stored;
  return new Set(stored?.map(Number) ?? rows.map((row) => row.streamSeq));
}

/**
 * Rows go in as they are sent. In the unique key's order, two workers that hold the same identities cannot deadlock,
 * and the first of two equal identities in one batch is the one that is stored.
 */
function inOrderOfKey(a: TelemetryRow, b: TelemetryRow): number {
  if (a.timeUs !== b.timeUs) return a.timeUs - b.timeUs;
  if (a.identity !== b.identity) return a.identity < b.identity ? -1 : 1;
  return a.streamSeq - b.streamSeq;
}
