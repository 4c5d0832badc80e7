import type { Queryable } from '../statements/queryable.ts';
import { type OperatorKey, type OperatorKeyRow, operatorKeyColumns, operatorKeyOf } from './operator-keys.ts';

/** All operator keys in the order they were made, the revoked ones included. */
export async function listOperatorKeys(db: Queryable): Promise<OperatorKey[]> {
  const { rows } = await db.query<OperatorKeyRow>({
    text: `select ${operatorKeyColumns} from operator_keys order by key_id`,
  });
  return rows.map(operatorKeyOf);
}
