import type { Queryable } from '../statements/queryable.ts';
import { type OperatorKey, type OperatorKeyRow, operatorKeyColumns, operatorKeyOf } from './operator-keys.ts';
import { RegistryError } from './registry-error.ts';

/** @throws RegistryError `operator_key_exists` when the name, or the key itself, is taken. */
export async function addOperatorKey(
  db: Queryable,
  name: string,
  keySha256: Uint8Array,
): Promise<OperatorKey> {
  const { rows } = await db.query<OperatorKeyRow>({
    text: `insert into operator_keys (name, key_sha256) values ($1, $2) on conflict do nothing
      returning ${operatorKeyColumns}`,
    values: [name, keySha256],
  });
  const row = rows[0];
  if (row !== undefined) return operatorKeyOf(row);
  throw new RegistryError(
    'operator_key_exists',
    `An operator key ${name} exists already: choose another name.`,
  );
}
