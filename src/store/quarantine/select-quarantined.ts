import type { IdentityKind } from '../../model/identity.ts';
import type { Queryable } from '../statements/queryable.ts';

/**
 * How the token that a message was sent with relates to its device in the registry: the one it has now, one that it
 * had before, neither, or there was no token.
 */
export type TokenMatch = 'current' | 'earlier' | 'mismatch' | 'none';

/** A quarantined message with all that a replay needs. */
export interface Quarantined {
  readonly id: bigint;
  readonly reason: string;
  readonly detail: string;
  readonly sqlstate: string | null;
  readonly tenantId: string | null;
  readonly deviceId: string | null;
  readonly subject: string;
  readonly arrivedAtMs: number;
  readonly envelope: Buffer;
  readonly intact: boolean;
  /** JSON text that somebody put in the place of the payload; null: nobody did. */
  readonly mendedPayload: string | null;
  readonly tokenSha256: Buffer | null;
  readonly tokenMatch: TokenMatch;
  readonly identity: string;
  readonly identityKind: IdentityKind;
  readonly bodyHash: string | null;
  readonly epoch: number;
  readonly streamSeq: bigint;
  readonly budget: string;
  /** When it was quarantined, `YYYY-MM-DD` in UTC. */
  readonly day: string;
}

const columns = `
select q.quarantine_id as id, q.reason, q.detail, q.sqlstate, q.tenant_id as "tenantId", q.device_id as "deviceId",
       q.subject, (extract(epoch from q.arrived_at) * 1000)::float8 as "arrivedAtMs", q.envelope, q.intact,
       q.mended_payload as "mendedPayload",
       q.token_sha256 as "tokenSha256", replace(q.identity::text, '-', '') as identity,
       q.identity_kind as "identityKind", replace(q.body_hash::text, '-', '') as "bodyHash",
       q.stream_epoch as epoch, q.stream_seq as "streamSeq", q.budget,
       (q.quarantined_at at time zone 'UTC')::date::text as day,
       case when q.token_sha256 is null then 'none'
            when d.token_sha256 = q.token_sha256 then 'current'
            when d.previous_token_sha256 = q.token_sha256 or exists (
                   select from device_token_history h
                   where h.tenant_id = q.tenant_id and h.device_id = q.device_id and h.token_sha256 = q.token_sha256)
              then 'earlier'
            else 'mismatch' end as "tokenMatch"
from quarantine q left join devices d on d.tenant_id = q.tenant_id and d.device_id = q.device_id`;

const text = `${columns} where q.quarantine_id = any($1::bigint[]) order by q.quarantine_id`;

/** Those of the messages that are in the quarantine, by id. */
export async function selectQuarantined(db: Queryable, ids: readonly bigint[]): Promise<Quarantined[]> {
  const { rows } = await db.query<Quarantined>({ name: 'select-quarantined', text, values: [ids] });
  return rows;
}

/** The same, locked until the end of the transaction, without those that somebody else has locked. */
export async function lockQuarantined(db: Queryable, ids: readonly bigint[]): Promise<Quarantined[]> {
  const { rows } = await db.query<Quarantined>({
    name: 'lock-quarantined',
    text: `${text} for update of q skip locked`,
    values: [ids],
  });
  return rows;
}

/** One message, locked; whoever has it in hand is waited for. @param tenantId undefined: whosever it is */
export async function lockOne(
  db: Queryable,
  id: bigint,
  tenantId: string | undefined,
): Promise<Quarantined | undefined> {
  const { rows } = await db.query<Quarantined>({
    text: `${columns} where q.quarantine_id = $1 and ($2::text is null or q.tenant_id = $2) for update of q`,
    values: [id, tenantId ?? null],
  });
  return rows[0];
}
