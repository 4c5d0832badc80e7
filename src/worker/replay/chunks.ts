import { type SelectedRow, selectPage } from '../../store/quarantine/select-page.ts';
import type { QuarantineSelection } from '../../store/quarantine/selection.ts';
import type { Queryable } from '../../store/statements/queryable.ts';

export const chunkDefaults = {
  /** Rows that are settled in one transaction at most. */
  rows: 500,
  /** Of their envelopes, which are in memory at once. */
  bytes: 16 * 1024 * 1024,
} as const;

/**
 * The ids of a selection up to `newestId`, in order, in chunks that one transaction takes: of one stream epoch each.
 * What comes in meanwhile is not chased, and what stays is not met twice.
 */
export async function* selectedChunks(
  db: Queryable,
  selection: QuarantineSelection,
  newestId: bigint,
): AsyncGenerator<bigint[], void> {
  let after = 0n;
  for (;;) {
    const page = await selectPage(db, selection, { after, upTo: newestId, limit: chunkDefaults.rows });
    const last = page.at(-1);
    if (last === undefined) return;
    yield* byEpochAndSize(page);
    after = last.id;
  }
}

function* byEpochAndSize(page: readonly SelectedRow[]): Generator<bigint[], void> {
  for (const rows of Map.groupBy(page, ({ epoch }) => epoch).values()) {
    let chunk: bigint[] = [];
    let bytes = 0;
    for (const row of rows) {
      if (chunk.length > 0 && bytes + row.bytes > chunkDefaults.bytes) {
        yield chunk;
        chunk = [];
        bytes = 0;
      }
      chunk.push(row.id);
      bytes += row.bytes;
    }
    yield chunk;
  }
}
