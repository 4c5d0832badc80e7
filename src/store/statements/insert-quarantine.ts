import type { Queryable } from './queryable.ts';

export interface QuarantineRow {
  readonly reason: string;
  readonly detail: string;
  readonly sqlstate: string | undefined;
  /** As far as they could be read. */
  readonly tenantId: string | undefined;
  readonly deviceId: string | undefined;
  readonly msgType: string | undefined;
  readonly subject: string;
  readonly arrivedAtMs: number;
  /** The envelope as published, every token cut out. */
  readonly envelope: Uint8Array;
  /** Nothing but the payload's own token was cut out: it can be replayed. */
  readonly intact: boolean;
  /** SHA-256 of the token it was sent with. */
  readonly tokenSha256: Uint8Array | undefined;
  readonly identity: string;
  readonly identityKind: string;
  readonly bodyHash: string | undefined;
  readonly epoch: number;
  readonly streamSeq: number;
  /** Whose share of the quarantine it takes: a tenant's, or '' for all unknown ones. */
  readonly budget: string;
}

const text = `
insert into quarantine (reason, detail, sqlstate, tenant_id, device_id, msg_type, subject, arrived_at, envelope,
                        token_sha256, identity, identity_kind, body_hash, stream_epoch, stream_seq, intact, budget)
select reason, detail, sqlstate, tenant_id, device_id, msg_type, subject,
       timestamptz 'epoch' + arrived_ms * interval '1 millisecond', envelope, token_sha256, identity, identity_kind,
       body_hash, epoch, stream_seq, intact, budget
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[],
            $9::bytea[], $10::bytea[], $11::uuid[], $12::text[], $13::uuid[], $14::int[], $15::bigint[],
            $16::bool[], $17::text[])
  as rejected (reason, detail, sqlstate, tenant_id, device_id, msg_type, subject, arrived_ms, envelope, token_sha256,
               identity, identity_kind, body_hash, epoch, stream_seq, intact, budget)`;

export async function insertQuarantine(db: Queryable, rows: readonly QuarantineRow[]): Promise<void> {
  await db.query({
    name: 'insert-quarantine',
    text,
    values: [
      rows.map((row) => row.reason),
      rows.map((row) => row.detail),
      rows.map((row) => row.sqlstate ?? null),
      rows.map((row) => row.tenantId ?? null),
      rows.map((row) => row.deviceId ?? null),
      rows.map((row) => row.msgType ?? null),
      rows.map((row) => row.subject),
      rows.map((row) => row.arrivedAtMs),
      rows.map((row) => Buffer.from(row.envelope)),
      rows.map((row) => (row.tokenSha256 === undefined ? null : Buffer.from(row.tokenSha256))),
      rows.map((row) => row.identity),
      rows.map((row) => row.identityKind),
      rows.map((row) => row.bodyHash ?? null),
      rows.map((row) => row.epoch),
      rows.map((row) => row.streamSeq),
      rows.map((row) => row.intact),
      rows.map((row) => row.budget),
    ],
  });
}
