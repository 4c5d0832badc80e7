import type pg from 'pg';
import type { Logger } from 'pino';
import { type BackoffOptions, backoffMs } from '../lib/backoff.ts';
import { createWaker } from '../lib/waker.ts';
import { type LeasedJob, leaseJobs, selectDueRoutes } from '../store/delivery/lease-jobs.ts';
import { classify } from '../store/errors.ts';
import { describeError } from './outcome.ts';
import { type Parcel, readParcelJobs } from './parcel.ts';
import type { BookedRoute, RouteBook } from './route-book.ts';

export interface SchedulerOptions {
  readonly pool: pg.Pool;
  readonly book: RouteBook;
  /** How many parcels of the route are wanted now. */
  readonly room: (route: BookedRoute) => number;
  /** Whether its destination is down: whoever waits for room does not wait for that. */
  readonly isResting: (route: BookedRoute) => boolean;
  readonly onLeased: (route: BookedRoute, parcel: Parcel) => void;
  readonly leaseMs: number;
  readonly idleMs: number;
  readonly busyMs: number;
  readonly log: Logger;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

export interface Scheduler {
  /** Something became due. */
  wake(): void;
  /** There is room again, which the last look may have missed. */
  roomIsThere(): void;
  /** Rejects with an error that no retry mends. */
  readonly done: Promise<void>;
  drain(): Promise<void>;
}

const retry: BackoffOptions = { baseMs: 100, maxMs: 3_000 };

/**
 * Takes due jobs out of the schedule, of every route as many as there is room for: a route with a long backlog, or a
 * destination that is down, takes nothing from the others.
 */
export function startScheduler(options: SchedulerOptions): Scheduler {
  const { idleMs, busyMs, log, random } = options;
  const waker = createWaker();
  let stopped = false;
  let starved = false;
  const done = (async () => {
    for (let failures = 0; !stopped; ) {
      try {
        const found = await lease(options);
        starved = found.starved;
        failures = 0;
        if (stopped) return;
        // Not faster than that, however often it is woken.
        await Bun.sleep(busyMs);
        if (!found.more) await waker.wait(idleMs);
      } catch (error) {
        if (classify(error) !== 'retry') throw error;
        const delayMs = backoffMs(failures, retry, random);
        log.warn(
          { event: 'schedule_unread', error: String(error) },
          'the schedule cannot be read: trying again',
        );
        failures += 1;
        await waker.wait(delayMs);
      }
    }
  })();
  done.catch(() => undefined);
  return {
    wake: () => waker.wake(),
    roomIsThere: () => {
      if (starved) waker.wake();
    },
    done,
    drain: async () => {
      stopped = true;
      waker.wake();
      await done.catch(() => undefined);
    },
  };
}

interface Found {
  /** As much was due as there was room for. */
  readonly more: boolean;
  /** Some route had something due and no room, though its destination is there. */
  readonly starved: boolean;
}

async function lease(options: SchedulerOptions): Promise<Found> {
  const { pool, book, room, isResting, onLeased, leaseMs, log } = options;
  let starved = false;
  const wanted = (await selectDueRoutes(pool)).flatMap((routeId) => {
    const route = book.get(routeId);
    if (route === undefined || !route.enabled) return [];
    const jobs = room(route);
    if (jobs > 0) return [{ routeId, jobs }];
    starved ||= !isResting(route);
    return [];
  });
  const leased = await leaseJobs(pool, wanted, leaseMs);
  for (const job of leased) {
    const route = book.get(job.routeId);
    const parcel = toParcel(job, log);
    if (route !== undefined && parcel !== undefined) onLeased(route, parcel);
  }
  const more = leased.length > 0 && leased.length === wanted.reduce((sum, { jobs }) => sum + jobs, 0);
  return { more, starved };
}

/** Undefined for a row that nobody of ours wrote: its lease runs out, and it is complained of again. */
export function toParcel(leased: LeasedJob, log: Logger): Parcel | undefined {
  const { routeId, jobId, tenantId, attempts, firstAtMs } = leased;
  try {
    return { id: jobId, routeId, tenantId, attempts, firstAtMs, ...readParcelJobs(leased.job) };
  } catch (error) {
    log.error(
      { event: 'schedule_unreadable', jobId, error: describeError(error) },
      'a waiting job is unreadable',
    );
    return undefined;
  }
}
