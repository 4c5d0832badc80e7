import type { ChunkChange, SelectedCount, Selection } from '../store/listings/selection.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { changeInChunks } from './audited.ts';
import { withDatabase } from './connect.ts';
import type { Invocation } from './define-command.ts';
import { CliError } from './exit-codes.ts';
import { JsonText, toJson } from './output/json.ts';
import { createLazyBar } from './output/lazy-bar.ts';
import { formatCount } from './output/number.ts';

export interface Purge<S extends Selection> {
  readonly selection: S;
  /** Deletes nothing and says how many it would be. */
  readonly isDryRun: boolean;
  /** What they are called: in text, and with `_` in JSON. */
  readonly noun: string;
  readonly count: (db: Queryable, selection: S) => Promise<SelectedCount>;
  readonly chunk: (selection: S, upTo: bigint) => ChunkChange;
  /** What the audit log calls it: `quarantine.purge` is of `quarantine`. */
  readonly target: string;
  /** JSON text. */
  readonly selectionText: (selection: S) => string;
}

/**
 * Deletes what is selected for good, up to the newest that is there now, and says how many.
 *
 * @throws CliError when it is stopped before the end
 */
export async function purgeSelected<S extends Selection>(
  invocation: Invocation,
  { selection, isDryRun, noun, count, chunk, target, selectionText }: Purge<S>,
): Promise<void> {
  const { terminal, json } = invocation;
  const stop = invocation.signals.stop();
  const bar = createLazyBar(terminal, 'purging');
  const { rows, purged } = await withDatabase(invocation, async (pool) => {
    const { rows, newestId: upTo } = await count(pool, selection);
    if (isDryRun) return { rows, purged: 0 };
    const onProgress = (done: number) => bar.update(done, rows);
    const shown = new JsonText(selectionText(selection));
    const purged = await changeInChunks(pool, invocation, {
      chunk: chunk(selection, upTo),
      note: { tenantId: selection.tenantId, action: `${target}.purge`, target },
      detailOf: (done) => ({ selection: shown, purged: done }),
      onProgress,
      stop,
    });
    return { rows, purged };
  }).finally(bar.stop);
  if (json) terminal.out(toJson({ dry_run: isDryRun, [noun.replaceAll(' ', '_')]: rows, purged }));
  else if (isDryRun) terminal.out(`${formatCount(rows)} ${noun} would be deleted. Nothing was.`);
  else terminal.out(`${formatCount(purged)} ${noun} were deleted.`);
  if (stop.aborted) throw new CliError('stopped before the end: the same purge again goes on from there.');
}
