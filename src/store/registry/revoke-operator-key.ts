import type { Queryable } from '../statements/queryable.ts';
import { type OperatorKey, type OperatorKeyRow, operatorKeyColumns, operatorKeyOf } from './operator-keys.ts';
import { RegistryError } from './registry-error.ts';

/** Revoking again changes nothing. @throws RegistryError `operator_key_not_found`. */
export function revokeOperatorKey(db: Queryable, name: string): Promise<OperatorKey> {
  return revoke(db, 'name = $1', name);
}

/** As `revokeOperatorKey`. @param keyId digits */
export function revokeOperatorKeyById(db: Queryable, keyId: string): Promise<OperatorKey> {
  return revoke(db, 'key_id = $1::bigint', keyId);
}

async function revoke(db: Queryable, condition: string, which: string): Promise<OperatorKey> {
  const { rows } = await db.query<OperatorKeyRow>({
    text: `update operator_keys set revoked_at = coalesce(revoked_at, now()) where ${condition}
      returning ${operatorKeyColumns}`,
    values: [which],
  });
  const row = rows[0];
  if (row !== undefined) return operatorKeyOf(row);
  throw new RegistryError(
    'operator_key_not_found',
    `There is no operator key ${which}: \`tributary operator-key list\` shows those there are.`,
  );
}
