import type { Queryable } from '../statements/queryable.ts';
import { createConditions, givenMoment, isoTime } from './conditions.ts';

export interface QuarantineFilter {
  /** Undefined: all tenants, for operators. */
  readonly tenantId: string | undefined;
  readonly deviceId?: string | undefined;
  readonly reason?: string | undefined;
  /** When it was quarantined, ms since the epoch: not older than this. */
  readonly sinceMs?: number | undefined;
  /** The same as RFC 3339, and put there before this. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Those before this one. */
  readonly beforeId?: string | undefined;
  readonly mended?: boolean | undefined;
  readonly limit: number;
}

export interface QuarantineEntry {
  readonly quarantine_id: bigint;
  readonly reason: string;
  /** Names the offending value, never the token. */
  readonly detail: string;
  readonly sqlstate: string | null;
  readonly tenant_id: string | null;
  readonly device_id: string | null;
  readonly msg_type: string | null;
  readonly arrived_at: string;
  readonly quarantined_at: string;
  /** Of the envelope. */
  readonly size_bytes: number;
  readonly mended: boolean;
}

export interface QuarantineDetails extends QuarantineEntry {
  readonly subject: string;
  /** As published, every token cut out. */
  readonly envelope: Buffer;
  readonly identity: string;
  readonly identity_kind: string;
  readonly stream_seq: bigint;
  /** False: more was cut out than the payload's own token, so that it can only be stored mended. */
  readonly intact: boolean;
  /** JSON text that replays judge instead of what was sent; null: nobody mended it. */
  readonly mended_payload: string | null;
  readonly mended_by: string | null;
  readonly mended_at: string | null;
}

const entryColumns = `quarantine_id, reason, detail, sqlstate, tenant_id, device_id, msg_type,
  ${isoTime('arrived_at')} as arrived_at, ${isoTime('quarantined_at')} as quarantined_at,
  octet_length(envelope) as size_bytes, mended_at is not null as mended`;

/** What was quarantined, newest first. */
export async function listQuarantine(db: Queryable, filter: QuarantineFilter): Promise<QuarantineEntry[]> {
  const conditions = createConditions();
  conditions.add('tenant_id = ?', filter.tenantId);
  conditions.add('device_id = ?', filter.deviceId);
  conditions.add('reason = ?', filter.reason);
  conditions.add(`quarantined_at >= ${givenMoment}`, filter.sinceMs);
  conditions.add('quarantined_at >= ?::timestamptz', filter.from);
  conditions.add('quarantined_at < ?::timestamptz', filter.to);
  conditions.add('quarantine_id < ?::bigint', filter.beforeId);
  conditions.add('(mended_at is not null) = ?', filter.mended);
  const { rows } = await db.query<QuarantineEntry>({
    text: `
      select ${entryColumns} from quarantine ${conditions.where}
      order by quarantine_id desc limit ${Math.trunc(filter.limit)}`,
    values: conditions.values,
  });
  return rows;
}

/** One quarantined message with its envelope; undefined where there is none of this number. @param tenantId only this one's */
export async function findQuarantined(
  db: Queryable,
  quarantineId: bigint,
  tenantId?: string,
): Promise<QuarantineDetails | undefined> {
  const { rows } = await db.query<QuarantineDetails>({
    text: `
      select ${entryColumns}, subject, envelope, identity, identity_kind, stream_seq, intact, mended_payload, mended_by,
        ${isoTime('mended_at')} as mended_at
      from quarantine where quarantine_id = $1 and ($2::text is null or tenant_id = $2)`,
    values: [quarantineId, tenantId ?? null],
  });
  return rows[0];
}
