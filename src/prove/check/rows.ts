import type pg from 'pg';

/** A row of `telemetry` as the check needs it. */
export interface StoredRow {
  readonly n: number;
  readonly identity: string;
  readonly tenantId: string;
  readonly deviceId: string;
  readonly siteId: string;
  readonly msgType: string;
  readonly seq: number | undefined;
  readonly metrics: string;
  readonly extra: string | undefined;
  readonly timeMs: number;
  readonly arrivedAtMs: number;
  readonly position: string;
}

export interface QuarantineRow {
  /** Undefined where the envelope names none. */
  readonly n: number | undefined;
  readonly reason: string;
  readonly detail: string;
  readonly position: string;
}

export interface Rows {
  readonly stored: readonly StoredRow[];
  readonly quarantined: readonly QuarantineRow[];
}

const storedText = `
select coalesce((metrics->>'n')::float8, -1) as n, replace(identity::text, '-', '') as identity, tenant_id, device_id,
       site_id, msg_type, seq::float8, metrics, extra, extract(epoch from time)::float8 * 1000 as time_ms,
       extract(epoch from arrived_at)::float8 * 1000 as arrived_ms, stream_epoch || '/' || stream_seq as position
from telemetry where coalesce((metrics->>'n')::bigint, $1) >= $1`;

const quarantinedText = `
select * from (
  select substring(convert_from(envelope, 'UTF8') from '"n":(\\d+)')::float8 as n, reason, detail,
         stream_epoch || '/' || stream_seq as position
  from quarantine) q
where coalesce(n, $1) >= $1`;

/** All rows of messages from `firstN` on, and those that are nobody's. */
export async function readRows(pool: pg.Pool, firstN: number): Promise<Rows> {
  const [stored, quarantined] = await Promise.all([
    pool.query(storedText, [firstN]),
    pool.query(quarantinedText, [firstN]),
  ]);
  return {
    stored: stored.rows.map((row) => ({
      n: row.n,
      identity: row.identity,
      tenantId: row.tenant_id,
      deviceId: row.device_id,
      siteId: row.site_id,
      msgType: row.msg_type,
      seq: row.seq ?? undefined,
      metrics: row.metrics,
      extra: row.extra ?? undefined,
      timeMs: row.time_ms,
      arrivedAtMs: row.arrived_ms,
      position: row.position,
    })),
    quarantined: quarantined.rows.map((row) => ({ ...row, n: row.n ?? undefined })),
  };
}
