import type { Queryable } from '../statements/queryable.ts';
import { type OperatorKey, type OperatorKeyRow, operatorKeyColumns, operatorKeyOf } from './operator-keys.ts';
import { RegistryError } from './registry-error.ts';

/** Revoking again changes nothing. @throws RegistryError `operator_key_not_found`. */
export async function revokeOperatorKey(db: Queryable, name: string): Promise<OperatorKey> {
  const { rows } = await db.query<OperatorKeyRow>({
    text: `update operator_keys set revoked_at = coalesce(revoked_at, now()) where name = $1
      returning ${operatorKeyColumns}`,
    values: [name],
  });
  const row = rows[0];
  if (row !== undefined) return operatorKeyOf(row);
  throw new RegistryError(
    'operator_key_not_found',
    `There is no operator key ${name}: \`tributary operator-key list\` shows those there are.`,
  );
}
