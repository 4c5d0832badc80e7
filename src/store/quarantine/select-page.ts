import { countSelection, type SelectedCount } from '../listings/selection.ts';
import type { Queryable } from '../statements/queryable.ts';
import { keptBytes } from './kept-bytes.ts';
import { type QuarantineSelection, selectionConditions } from './selection.ts';

export function countSelected(db: Queryable, selection: QuarantineSelection): Promise<SelectedCount> {
  return countSelection(db, { from: 'quarantine', id: 'quarantine_id' }, selectionConditions(selection));
}

export interface SelectedRow {
  readonly id: bigint;
  readonly epoch: number;
  /** Of the envelope, and of what it was mended with. */
  readonly bytes: number;
}

/** The next rows of a selection in the order of their ids, those above `after` and up to `upTo`. */
export async function selectPage(
  db: Queryable,
  selection: QuarantineSelection,
  { after, upTo, limit }: { readonly after: bigint; readonly upTo: bigint; readonly limit: number },
): Promise<SelectedRow[]> {
  const conditions = selectionConditions(selection);
  conditions.add('quarantine_id > ?::bigint', after);
  conditions.add('quarantine_id <= ?::bigint', upTo);
  const { rows } = await db.query<SelectedRow>({
    text: `select quarantine_id as id, stream_epoch as epoch, ${keptBytes} as bytes
      from quarantine ${conditions.where} order by quarantine_id limit ${Math.trunc(limit)}`,
    values: conditions.values,
  });
  return rows;
}
