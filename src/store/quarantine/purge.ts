import type { PassOptions } from '../listings/selection.ts';
import type { Queryable } from '../statements/queryable.ts';
import { removeQuarantined } from './remove-quarantined.ts';
import { type QuarantineSelection, selectionConditions } from './selection.ts';

const chunkRows = 2_000;

/** Deletes quarantined messages for good. @returns how many. */
export async function purgeQuarantine(
  db: Queryable,
  selection: QuarantineSelection,
  { upTo, onProgress, stop }: PassOptions,
): Promise<number> {
  const conditions = selectionConditions(selection);
  conditions.add('quarantine_id <= ?::bigint', upTo);
  const { where, values } = conditions;
  let purged = 0;
  while (!stop.aborted) {
    const removed = await removeQuarantined(db, { where, values, as: 'purged', limit: chunkRows });
    if (removed === 0) break;
    purged += removed;
    onProgress(purged);
  }
  return purged;
}
