import type { Queryable } from '../statements/queryable.ts';
import { type Conditions, createConditions, givenMoment } from './conditions.ts';

/** Which rows of a table of messages: all that meet every part that is given. */
export interface Selection {
  readonly tenantId?: string | undefined;
  readonly reason?: string | undefined;
  readonly ids?: readonly bigint[] | undefined;
  /** Put there before this, ms since the epoch. */
  readonly beforeMs?: number | undefined;
}

/** The columns that a selection goes by. */
export interface SelectionColumns {
  readonly tenantId: string;
  readonly reason: string;
  readonly id: string;
  /** When the row was put there. */
  readonly putAt: string;
}

export function conditionsOf(
  { tenantId, reason, ids, beforeMs }: Selection,
  columns: SelectionColumns,
): Conditions {
  const conditions = createConditions();
  conditions.add(`${columns.tenantId} = ?`, tenantId);
  conditions.add(`${columns.reason} = ?`, reason);
  conditions.add(`${columns.id} = any(?::bigint[])`, ids);
  conditions.add(`${columns.putAt} < ${givenMoment}`, beforeMs);
  return conditions;
}

export interface SelectedCount {
  readonly rows: number;
  /** The newest of them; 0 where there are none. */
  readonly newestId: bigint;
}

/** @param id the column of the table's key */
export async function countSelection(
  db: Queryable,
  { from, id }: { readonly from: string; readonly id: string },
  { where, values }: Conditions,
): Promise<SelectedCount> {
  const { rows } = await db.query<{ rows: number; newest: bigint }>({
    text: `select count(*)::int as rows, coalesce(max(${id}), 0)::bigint as newest from ${from} ${where}`,
    values,
  });
  return { rows: rows[0]?.rows ?? 0, newestId: rows[0]?.newest ?? 0n };
}

/** How a selection is gone through, chunk by chunk. */
export interface PassOptions {
  /** The newest that is meant. */
  readonly upTo: bigint;
  readonly onProgress: (done: number) => void;
  /** Ends it between two transactions. */
  readonly stop: AbortSignal;
}

/**
 * Changes one chunk of a selection after the other, until none is left.
 *
 * @param move resolves to how many rows it was
 * @returns how many in all
 */
export async function inChunks(
  move: () => Promise<number>,
  { onProgress, stop }: Pick<PassOptions, 'onProgress' | 'stop'>,
): Promise<number> {
  let done = 0;
  while (!stop.aborted) {
    const moved = await move();
    if (moved === 0) break;
    done += moved;
    onProgress(done);
  }
  return done;
}

/** What is done to one chunk; resolves to how many rows it was, 0 at the end. */
export type ChunkChange = (db: Queryable) => Promise<number>;
