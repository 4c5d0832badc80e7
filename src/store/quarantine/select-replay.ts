import { isoTime } from '../listings/conditions.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface ReplayRow {
  readonly replay_id: number;
  readonly tenant_id: string | null;
  readonly operator: string;
  /** JSON text. */
  readonly filter: string;
  readonly vouched_because: string | null;
  /** Null: of an earlier release. */
  readonly total: bigint | null;
  readonly stored: bigint;
  readonly duplicates: bigint;
  readonly refused: bigint;
  readonly started_at: string;
  readonly updated_at: string;
  readonly finished_at: string | null;
  readonly error: string | null;
  /** Since its last transaction. */
  readonly idle_ms: number;
}

/** How far a replay is; undefined where there is none of this number. @param tenantId only one of this tenant's */
export async function selectReplay(
  db: Queryable,
  replayId: string,
  tenantId: string | undefined,
): Promise<ReplayRow | undefined> {
  const { rows } = await db.query<ReplayRow>({
    text: `select replay_id, tenant_id, operator, filter, vouched_because, total, stored, duplicates, refused,
        ${isoTime('started_at')} as started_at, ${isoTime('updated_at')} as updated_at,
        ${isoTime('finished_at')} as finished_at, error,
        (extract(epoch from clock_timestamp() - updated_at) * 1000)::float8 as idle_ms
      from replays where replay_id::bigint = $1::bigint and ($2::text is null or tenant_id = $2)`,
    values: [replayId, tenantId ?? null],
  });
  return rows[0];
}
