import type { Queryable } from '../statements/queryable.ts';

/** A piece of a table for `ctid >= from::tid and ctid < to::tid`. */
export interface PageRange {
  readonly from: string;
  readonly to: string;
}

/**
 * Cuts a table into pieces of `pagesPerRange` pages of 8 KiB, so that a walk over it is many short transactions.
 * Rows that are added meanwhile may be missed.
 */
export async function pageRanges(
  db: Queryable,
  table: 'delivered_jobs' | 'device_state' | 'message_keys',
  pagesPerRange: number,
): Promise<PageRange[]> {
  const { rows } = await db.query<{ pages: number }>({
    text: `select (pg_relation_size($1::regclass) / current_setting('block_size')::int)::int as pages`,
    values: [table],
  });
  const pages = rows[0]?.pages ?? 0;
  return Array.from({ length: Math.ceil(pages / pagesPerRange) }, (_, index) => ({
    from: `(${index * pagesPerRange},0)`,
    to: `(${(index + 1) * pagesPerRange},0)`,
  }));
}
