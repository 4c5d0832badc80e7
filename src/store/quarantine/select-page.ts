import type { Queryable } from '../statements/queryable.ts';
import { type QuarantineSelection, selectionConditions } from './selection.ts';

export interface SelectedCount {
  readonly rows: number;
  /** The newest of them; 0 where there are none. */
  readonly newestId: bigint;
}

export async function countSelected(db: Queryable, selection: QuarantineSelection): Promise<SelectedCount> {
  const { where, values } = selectionConditions(selection);
  const { rows } = await db.query<{ rows: number; newest: bigint }>({
    text: `select count(*)::int as rows, coalesce(max(quarantine_id), 0)::bigint as newest from quarantine ${where}`,
    values,
  });
  return { rows: rows[0]?.rows ?? 0, newestId: rows[0]?.newest ?? 0n };
}

export interface SelectedRow {
  readonly id: bigint;
  readonly epoch: number;
  /** Of the envelope. */
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
    text: `select quarantine_id as id, stream_epoch as epoch, octet_length(envelope) as bytes
      from quarantine ${conditions.where} order by quarantine_id limit ${Math.trunc(limit)}`,
    values: conditions.values,
  });
  return rows;
}
