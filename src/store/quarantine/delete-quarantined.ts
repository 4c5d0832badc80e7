import type { Queryable } from '../statements/queryable.ts';

/** Takes rows out that the caller has locked. */
export async function deleteQuarantined(db: Queryable, ids: readonly bigint[]): Promise<void> {
  await db.query({
    name: 'delete-quarantined',
    text: 'delete from quarantine where quarantine_id = any($1::bigint[])',
    values: [ids],
  });
}
