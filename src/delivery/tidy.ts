import type pg from 'pg';
import type { Logger } from 'pino';
import {
  type LeasedJob,
  selectFullRoutes,
  selectScheduledRoutes,
  takeOutExcess,
  takeOutJobs,
} from '../store/delivery/lease-jobs.ts';
import { classify } from '../store/errors.ts';
import type { Queryable } from '../store/statements/queryable.ts';
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
  /** Jobs of one route that may wait. */
  readonly maxWaiting: number;
  readonly onBuried: (reason: string, jobs: number) => void;
  readonly log: Logger;
}

/** Taken out in one transaction at most, of one route. */
const maxAtOnce = 500;
/** Of so many rounds one looks for what is too old and what is too much: that reads all that waits. */
const roundsPerLongLook = 12;

/**
 * Makes dead letters of what waits for a route that was disabled or removed, and of what could not be tried within its
 * time because its destination was never up, or is more than may wait for one route.
 */
export function startTidying(options: TidyOptions): { drain(): Promise<void> } {
  const { everyMs, log } = options;
  let running: Promise<void> | undefined;
  let rounds = 0;
  const run = async () => {
    try {
      await tidy(options, rounds % roundsPerLongLook === 0);
      rounds += 1;
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

async function tidy(options: TidyOptions, isLong: boolean): Promise<void> {
  const { pool, book, retryForMs, maxWaiting } = options;
  const scheduled = await selectScheduledRoutes(pool);
  // Afterwards: a job may wait for a route that was made after the last look.
  await book.refresh();
  const older =
    (routeId: number, thanMs: number): TakeOut =>
    (client) =>
      takeOutJobs(client, routeId, thanMs, maxAtOnce);
  for (const routeId of scheduled) {
    const route = book.get(routeId);
    if (route === undefined) {
      const why = { reason: 'ROUTE_REMOVED', detail: 'the route is no more' } as const;
      await bury(options, routeId, older(routeId, 0), why);
    } else if (!route.enabled) {
      const why = { reason: 'ROUTE_DISABLED', detail: 'the route is disabled' } as const;
      await bury(options, routeId, older(routeId, 0), why);
    } else if (isLong) {
      // A while longer than its time: the last attempt is made at the end of it.
      const detail = 'it could not be tried in time: the destination was down, or too much waited for it';
      await bury(options, routeId, older(routeId, retryForMs * 1.1 + 60_000), { reason: 'GAVE_UP', detail });
    }
  }
  if (!isLong) return;
  for (const routeId of await selectFullRoutes(pool, maxWaiting)) {
    const detail = `more than ${maxWaiting} jobs waited for the destination (TRIBUTARY_DELIVERY_MAX_WAITING)`;
    const excess: TakeOut = (client) => takeOutExcess(client, routeId, maxWaiting, maxAtOnce);
    await bury(options, routeId, excess, { reason: 'GAVE_UP', detail });
  }
}

/** At most `maxAtOnce`. */
type TakeOut = (client: Queryable) => Promise<LeasedJob[]>;

async function bury(
  { pool, book, shard, onBuried, log }: TidyOptions,
  routeId: number,
  takeOut: TakeOut,
  why: Pick<Extract<Verdict, { kind: 'dead' }>, 'reason' | 'detail'>,
): Promise<void> {
  const routeName = book.get(routeId)?.name;
  for (;;) {
    const buried = await inTransaction(pool, async (client) => {
      const rows = await takeOut(client);
      const parcels = rows.map((row) => toParcel(row, log)).filter((parcel) => parcel !== undefined);
      await buryTakenOut(client, shard, parcels, { routeName, ...why });
      return { rows: rows.length, jobs: parcels.reduce((sum, { jobs }) => sum + jobs.length, 0) };
    });
    if (buried.jobs > 0) onBuried(why.reason, buried.jobs);
    if (buried.rows < maxAtOnce) return;
  }
}
