import type pg from 'pg';
import type { Logger } from 'pino';
import { selectScheduledRoutes, takeOutJobs } from '../store/delivery/lease-jobs.ts';
import { classify } from '../store/errors.ts';
import { inTransaction } from '../store/transaction.ts';
import type { RouteBook } from './route-book.ts';
import { toParcel } from './scheduler.ts';
import { buryTakenOut } from './settle-batch.ts';
import type { Verdict } from './settlement.ts';

export interface TidyOptions {
  readonly pool: pg.Pool;
  readonly book: RouteBook;
  readonly shard: number;
  readonly retryForMs: number;
  readonly everyMs: number;
  readonly onBuried: (reason: string, jobs: number) => void;
  readonly log: Logger;
}

/** Taken out in one transaction at most, of one route. */
const maxAtOnce = 500;

/**
 * Makes dead letters of what waits for a route that was disabled or removed, and of what could not be tried within its
 * time because its destination was never up.
 */
export function startTidying(options: TidyOptions): { drain(): Promise<void> } {
  const { everyMs, log } = options;
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      await tidy(options);
    } catch (error) {
      const isPassing = classify(error) === 'retry';
      log[isPassing ? 'warn' : 'error'](
        { event: 'schedule_not_tidied', err: error },
        'the schedule is not tidied',
      );
    }
  };
  const timer = setInterval(() => {
    running ??= run().finally(() => {
      running = undefined;
    });
  }, everyMs);
  return {
    drain: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

async function tidy(options: TidyOptions): Promise<void> {
  const { pool, book, retryForMs } = options;
  const scheduled = await selectScheduledRoutes(pool);
  // Afterwards: a job may wait for a route that was made after the last look.
  await book.refresh();
  for (const routeId of scheduled) {
    const route = book.get(routeId);
    if (route === undefined) {
      await takeOut(options, routeId, 0, { reason: 'ROUTE_REMOVED', detail: 'the route is no more' });
    } else if (!route.enabled) {
      await takeOut(options, routeId, 0, { reason: 'ROUTE_DISABLED', detail: 'the route is disabled' });
    } else {
      // A while longer than its time: the last attempt is made at the end of it.
      const detail = 'it could not be tried in time: the destination was down, or too much waited for it';
      await takeOut(options, routeId, retryForMs * 1.1 + 60_000, { reason: 'GAVE_UP', detail });
    }
  }
}

async function takeOut(
  { pool, book, shard, onBuried, log }: TidyOptions,
  routeId: number,
  olderThanMs: number,
  why: Pick<Extract<Verdict, { kind: 'dead' }>, 'reason' | 'detail'>,
): Promise<void> {
  const routeName = book.get(routeId)?.name;
  for (;;) {
    const buried = await inTransaction(pool, async (client) => {
      const rows = await takeOutJobs(client, routeId, olderThanMs, maxAtOnce);
      const parcels = rows.map((row) => toParcel(row, log)).filter((parcel) => parcel !== undefined);
      await buryTakenOut(client, shard, parcels, { routeName, ...why });
      return { rows: rows.length, jobs: parcels.reduce((sum, { jobs }) => sum + jobs.length, 0) };
    });
    if (buried.jobs > 0) onBuried(why.reason, buried.jobs);
    if (buried.rows < maxAtOnce) return;
  }
}
