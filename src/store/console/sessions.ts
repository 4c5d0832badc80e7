import type { Actor } from '../../model/actor.ts';
import type { Queryable } from '../statements/queryable.ts';
import {
  type FoundKeyRow,
  foundKeyColumns,
  foundKeyOf,
  validOperatorKey,
  validTenantKey,
} from './find-key.ts';

export interface FoundSession {
  readonly key: Actor;
  readonly expiresAt: Date;
}

/** Opens a session for a key, and forgets those that are over. @returns when it ends */
export async function insertSession(
  db: Queryable,
  sessionSha256: Uint8Array,
  key: Actor,
  lifetimeMs: number,
): Promise<Date> {
  const { rows } = await db.query<{ expires_at: Date }>({
    text: `with over as (delete from console_sessions where expires_at <= now())
      insert into console_sessions (session_sha256, operator_key_id, tenant_key_id, expires_at)
      values ($1, $2, $3, now() + $4::float8 * interval '1 millisecond') returning expires_at`,
    values: [
      sessionSha256,
      key.kind === 'operator' ? key.keyId : null,
      key.kind === 'tenant' ? key.keyId : null,
      lifetimeMs,
    ],
  });
  const row = rows[0];
  if (row === undefined) throw new Error('the session was not inserted');
  return row.expires_at;
}

/** The session of this hash while both it and its key are valid. */
export async function findSession(
  db: Queryable,
  sessionSha256: Uint8Array,
): Promise<FoundSession | undefined> {
  const { rows } = await db.query<FoundKeyRow & { expires_at: Date }>({
    name: 'find-session',
    text: `select s.expires_at, ${foundKeyColumns} from console_sessions s
      left join operator_keys o on o.key_id = s.operator_key_id and ${validOperatorKey}
      left join tenant_keys t on t.key_id = s.tenant_key_id and ${validTenantKey}
      where s.session_sha256 = $1 and s.expires_at > now()`,
    values: [sessionSha256],
  });
  const [row] = rows;
  const key = foundKeyOf(row);
  return row === undefined || key === undefined ? undefined : { key, expiresAt: row.expires_at };
}

export async function deleteSession(db: Queryable, sessionSha256: Uint8Array): Promise<void> {
  await db.query({ text: 'delete from console_sessions where session_sha256 = $1', values: [sessionSha256] });
}
