import { timestampArray } from '../binary-arrays.ts';
import type { Queryable } from './queryable.ts';

export interface MessageKey {
  readonly identity: string;
  readonly bodyHash: string;
  /** Event time of the message's row, µs since the epoch. */
  readonly timeUs: number;
}

const selectText = `
select replace(identity::text, '-', '') as identity, replace(body_hash::text, '-', '') as body_hash
from message_keys where identity = any($1::uuid[])`;

/** The body hashes that go with identities settled before, by identity. */
export async function selectMessageKeys(
  db: Queryable,
  identities: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query<{ identity: string; body_hash: string }>({
    name: 'select-message-keys',
    text: selectText,
    values: [identities],
  });
  return new Map(rows.map((row) => [row.identity, row.body_hash]));
}

const insertText = `
insert into message_keys (identity, body_hash, time)
select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as offered (identity, body_hash, time)
order by identity
on conflict do nothing
returning replace(identity::text, '-', '') as identity`;

/** Records identities (distinct within the call). @returns those that were new. */
export async function insertMessageKeys(db: Queryable, keys: readonly MessageKey[]): Promise<Set<string>> {
  const { rows } = await db.query<{ identity: string }>({
    name: 'insert-message-keys',
    text: insertText,
    values: [
      keys.map((key) => key.identity),
      keys.map((key) => key.bodyHash),
      timestampArray(keys, (key) => key.timeUs),
    ],
  });
  return new Set(rows.map((row) => row.identity));
}

/** Forgets identities whose message was not stored after all, so that a resend can be. */
export async function deleteMessageKeys(db: Queryable, identities: readonly string[]): Promise<void> {
  await db.query({
    name: 'delete-message-keys',
    text: 'delete from message_keys where identity = any($1::uuid[])',
    values: [identities],
  });
}
