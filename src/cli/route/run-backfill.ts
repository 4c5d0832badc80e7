import type pg from 'pg';
import type { RouteRule } from '../../model/route.ts';
import { createStoredMatcher } from '../../roles/routes/match-stored.ts';
import { type Backfill, moveBackfill } from '../../store/routes/backfills.ts';
import { insertOutbox } from '../../store/routes/insert-outbox.ts';
import type { StoredMessage } from '../../store/routes/select-messages.ts';
import { selectStoredPage } from '../../store/routes/select-stored.ts';
import { countOwed } from '../../store/routes/take-owed.ts';
import { inTransaction } from '../../store/transaction.ts';
import { CliError } from '../exit-codes.ts';

/*
 * INV. Jobs are queued in the transaction that moves the backfill on: broken off at any moment, it goes on with the first
 * message that it has not queued.
 */

export interface BackfillRun {
  readonly pool: pg.Pool;
  readonly route: RouteRule;
  readonly backfill: Backfill;
  /** Jobs a second. */
  readonly rate: number;
  readonly onProgress: (lookedAt: number) => void;
  /** Ends the run between two transactions. */
  readonly stop: AbortSignal;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

const pageSize = { min: 10, max: 500 } as const;
/** With more owed than this, workers do not keep up: nothing is added. */
const maxOwedJobs = 5_000;
const waitMs = 200;

/** @returns how it stands, and whether the end is reached */
export async function runBackfill(
  run: BackfillRun,
): Promise<{ readonly backfill: Backfill; readonly isDone: boolean }> {
  const { pool, route, rate, stop, now } = run;
  const match = createStoredMatcher(route);
  // No more than a second's jobs at once.
  const limit = Math.max(pageSize.min, Math.min(pageSize.max, Math.floor(rate)));
  const startedMs = now();
  let { backfill } = run;
  const queuedBefore = backfill.queued;
  while (!stop.aborted) {
    await untilRoom(run);
    if (stop.aborted) break;
    const page = await selectStoredPage(pool, route.tenantId, backfill, { after: backfill.after, limit });
    const last = page.at(-1);
    if (last === undefined) return { backfill, isDone: true };
    backfill = await queue(run, backfill, page, last, match);
    run.onProgress(backfill.lookedAt);
    const dueMs = startedMs + ((backfill.queued - queuedBefore) / rate) * 1_000;
    await pause(dueMs - now(), stop);
  }
  return { backfill, isDone: false };
}

async function queue(
  { pool, route }: BackfillRun,
  backfill: Backfill,
  page: readonly StoredMessage[],
  last: StoredMessage,
  match: ReturnType<typeof createStoredMatcher>,
): Promise<Backfill> {
  const results = page.map((message) => ({ message, result: match(message) }));
  const jobs = results
    .filter(({ result }) => result === 'match')
    .map(({ message: { timeUs, identity } }) => ({ timeUs, identity, routeId: route.routeId }));
  const moved = await inTransaction(pool, async (client) => {
    if (jobs.length > 0) await insertOutbox(client, { jobs, refused: [], counts: [] }, 0);
    const now = await moveBackfill(client, backfill, {
      to: last,
      lookedAt: page.length,
      queued: jobs.length,
      conditionErrors: results.filter(({ result }) => result === 'error').length,
    });
    // Thrown inside, so that nothing is queued.
    if (now === undefined)
      throw new CliError(
        `the backfill of route ${route.name} was moved on or ended by another command: look at tributary route show.`,
      );
    return now;
  });
  return moved;
}

async function untilRoom({ pool, stop }: BackfillRun): Promise<void> {
  while (!stop.aborted && (await countOwed(pool)) > maxOwedJobs) await pause(waitMs, stop);
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  if (ms <= 0 || stop.aborted) return;
  const stopped = Promise.withResolvers<void>();
  const onStop = () => stopped.resolve();
  stop.addEventListener('abort', onStop, { once: true });
  await Promise.race([Bun.sleep(ms), stopped.promise]);
  stop.removeEventListener('abort', onStop);
}
