import type { Queryable } from '../statements/queryable.ts';

export interface Mending {
  readonly id: bigint;
  /** JSON text without a token. */
  readonly payload: string;
  /** Who mends. */
  readonly by: string;
}

/** Says what a message is judged with from now on; its envelope stays. The caller has locked the row. */
export async function saveMended(db: Queryable, { id, payload, by }: Mending): Promise<void> {
  await db.query({
    text: `update quarantine set mended_payload = $2, mended_by = $3, mended_at = now() where quarantine_id = $1`,
    values: [id, payload, by],
  });
}
