import type { Queryable } from '../statements/queryable.ts';
import { type OperatorKey, type OperatorKeyRow, operatorKeyColumns, operatorKeyOf } from './operator-keys.ts';

/**
 * The valid key of this hash; undefined for an unknown or a revoked one. Looked up by index: what its timing could
 * tell is a prefix of the hash of a 256-bit random key, which leads nowhere.
 */
export async function findOperatorKey(
  db: Queryable,
  keySha256: Uint8Array,
): Promise<OperatorKey | undefined> {
  const { rows } = await db.query<OperatorKeyRow>({
    text: `select ${operatorKeyColumns} from operator_keys where key_sha256 = $1 and revoked_at is null`,
    values: [keySha256],
  });
  const row = rows[0];
  return row === undefined ? undefined : operatorKeyOf(row);
}
