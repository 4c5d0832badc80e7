import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import {
  type StoredMessage,
  type StoredMessageRow,
  storedMessageColumns,
  toStoredMessage,
} from './select-messages.ts';

const timeUs = '(extract(epoch from t.time) * 1000000)::bigint::text as time_us';

/** The last messages of a tenant by event time, newest first. */
export async function selectLastStored(
  db: Queryable,
  tenantId: TenantId,
  limit: number,
): Promise<StoredMessage[]> {
  const { rows } = await db.query<StoredMessageRow>({
    text: `select ${timeUs}, ${storedMessageColumns} from telemetry t where t.tenant_id = $1
      order by t.time desc, t.identity desc limit $2`,
    values: [tenantId, limit],
  });
  return rows.map(toStoredMessage);
}

/** Of messages by event time: from `since` to before `until`. */
export interface StoredRange {
  readonly since: Date;
  readonly until: Date;
  /** Only what arrived before; undefined: whenever it arrived. */
  readonly arrivedBefore: Date | undefined;
}

export interface StoredPosition {
  /** µs since the epoch. */
  readonly timeUs: number;
  readonly identity: string;
}

const rangeCondition = `t.tenant_id = $1 and t.time >= $2 and t.time < $3
  and ($4::timestamptz is null or t.arrived_at < $4)`;

/** The next messages of a range in the order of time and identity, those after a position. */
export async function selectStoredPage(
  db: Queryable,
  tenantId: TenantId,
  range: StoredRange,
  { after, limit }: { readonly after: StoredPosition | undefined; readonly limit: number },
): Promise<StoredMessage[]> {
  const { rows } = await db.query<StoredMessageRow>({
    text: `select ${timeUs}, ${storedMessageColumns} from telemetry t
      where ${rangeCondition}
        and ($5::bigint is null or
             (t.time, t.identity) > (timestamptz 'epoch' + $5 * interval '1 microsecond', $6::uuid))
      order by t.time, t.identity limit $7`,
    values: [tenantId, range.since, range.until, range.arrivedBefore, after?.timeUs, after?.identity, limit],
  });
  return rows.map(toStoredMessage);
}

export async function countStored(db: Queryable, tenantId: TenantId, range: StoredRange): Promise<number> {
  const { rows } = await db.query<{ messages: number }>({
    text: `select count(*)::float8 as messages from telemetry t where ${rangeCondition}`,
    values: [tenantId, range.since, range.until, range.arrivedBefore],
  });
  return rows[0]?.messages ?? 0;
}
