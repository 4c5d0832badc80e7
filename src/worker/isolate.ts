import { classify, isMissingPartition } from '../store/errors.ts';
import type { Queryable } from '../store/statements/queryable.ts';

export interface Isolated<Row, Result> {
  readonly results: Result[];
  readonly refused: { readonly row: Row; readonly error: unknown }[];
}

/**
 * Runs `insert` on rows so that one the database refuses costs only itself: inside a savepoint, halving
 * what fails. One bad row among n takes at most 2·log2(n)+1 inserts. Every attempt is rebuilt from the
 * rows that remain. An error that speaks of the server and not of a row is thrown.
 */
export async function isolate<Row, Result>(
  db: Queryable,
  rows: readonly Row[],
  insert: (rows: readonly Row[]) => Promise<Result>,
): Promise<Isolated<Row, Result>> {
  const isolated: Isolated<Row, Result> = { results: [], refused: [] };
  const waiting: (readonly Row[])[] = rows.length === 0 ? [] : [rows];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    await db.query({ text: 'savepoint part' });
    try {
      isolated.results.push(await insert(part));
      await db.query({ text: 'release savepoint part' });
    } catch (error) {
      if (classify(error) !== 'row' || isMissingPartition(error)) throw error;
      await db.query({ text: 'rollback to savepoint part' });
      const [only] = part;
      if (part.length === 1 && only !== undefined) isolated.refused.push({ row: only, error });
      else waiting.push(part.slice(part.length >> 1), part.slice(0, part.length >> 1));
    }
  }
  return isolated;
}
