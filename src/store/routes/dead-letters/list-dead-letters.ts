import { createConditions, givenMoment, isoTime } from '../../listings/conditions.ts';
import type { Queryable } from '../../statements/queryable.ts';
import { type DeadLetterSelection, selectionConditions } from './selection.ts';

export interface DeadLetterEntry {
  readonly dead_letter_id: bigint;
  readonly tenant_id: string;
  readonly route_id: number;
  readonly route_name: string;
  readonly reason: string;
  readonly detail: string;
  readonly kind: 'message' | 'status';
  /** Of a message: event time and identity. */
  readonly time: string | null;
  readonly identity: string | null;
  readonly attempts: number;
  readonly first_at: string;
  readonly dead_at: string;
}

const columns = `d.dead_letter_id, d.tenant_id, d.route_id, d.route_name, d.reason, d.detail, d.kind,
  ${isoTime('d.time')} as time, replace(d.identity::text, '-', '') as identity, d.attempts,
  ${isoTime('d.first_at')} as first_at, ${isoTime('d.dead_at')} as dead_at`;

export interface DeadLetterPage {
  /** Given up at this moment or later, ms since the epoch. */
  readonly sinceMs?: number | undefined;
  /** The same as RFC 3339, and before this. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Those before this one. */
  readonly beforeId?: string | undefined;
  readonly limit: number;
}

/** The newest first. */
export async function listDeadLetters(
  db: Queryable,
  selection: DeadLetterSelection & DeadLetterPage,
): Promise<DeadLetterEntry[]> {
  const conditions = selectionConditions(selection);
  conditions.add(`d.dead_at >= ${givenMoment}`, selection.sinceMs);
  conditions.add('d.dead_at >= ?::timestamptz', selection.from);
  conditions.add('d.dead_at < ?::timestamptz', selection.to);
  conditions.add('d.dead_letter_id < ?::bigint', selection.beforeId);
  const { rows } = await db.query<DeadLetterEntry>({
    text: `select ${columns} from dead_letters d ${conditions.where}
      order by d.dead_letter_id desc limit ${Math.trunc(selection.limit)}`,
    values: conditions.values,
  });
  return rows;
}

export interface DeadLetterDetails extends DeadLetterEntry {
  /** Of a change of status: JSON text. */
  readonly event: string | null;
  /** The stored message; null where it is not kept any more. */
  readonly device_id: string | null;
  readonly site_id: string | null;
  readonly msg_type: string | null;
  readonly metrics: string | null;
  readonly extra: string | null;
}

/** @param tenantId only one of this tenant's */
export async function findDeadLetter(
  db: Queryable,
  id: bigint,
  tenantId?: string,
): Promise<DeadLetterDetails | undefined> {
  const conditions = createConditions();
  conditions.add('d.dead_letter_id = ?::bigint', id);
  conditions.add('d.tenant_id = ?', tenantId);
  const { rows } = await db.query<DeadLetterDetails>({
    text: `select ${columns}, d.event, t.device_id, t.site_id, t.msg_type, t.metrics, t.extra
      from dead_letters d left join telemetry t on t.time = d.time and t.identity = d.identity
      ${conditions.where}`,
    values: conditions.values,
  });
  return rows[0];
}
