import { type ChunkChange, inChunks, type PassOptions } from '../listings/selection.ts';
import type { Queryable } from '../statements/queryable.ts';
import { removeQuarantined } from './remove-quarantined.ts';
import { type QuarantineSelection, selectionConditions } from './selection.ts';

const chunkRows = 2_000;

/** Deletes quarantined messages for good. @returns how many. */
export function purgeQuarantine(
  db: Queryable,
  selection: QuarantineSelection,
  options: PassOptions,
): Promise<number> {
  const chunk = purgeQuarantineChunk(selection, options.upTo);
  return inChunks(() => chunk(db), options);
}

/** The same, a chunk at a time, in transactions of the caller. */
export function purgeQuarantineChunk(selection: QuarantineSelection, upTo: bigint): ChunkChange {
  const conditions = selectionConditions(selection);
  conditions.add('quarantine_id <= ?::bigint', upTo);
  const { where, values } = conditions;
  return (db) => removeQuarantined(db, { where, values, as: 'purged', limit: chunkRows });
}
