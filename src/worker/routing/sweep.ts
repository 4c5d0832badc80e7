import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { createWaker } from '../../lib/waker.ts';
import { encodeMessageBody, encodeStatusBody, statusIdentity } from '../../model/route-job.ts';
import type { RoutingMetrics } from '../../observe/routing.ts';
import type { FailedJob } from '../../store/routes/close-groups.ts';
import { type StoredMessage, selectMessages } from '../../store/routes/select-messages.ts';
import { countOwed, type OwedGroup, type StatusEvent, takeOwed } from '../../store/routes/take-owed.ts';
import type { DeadLetterRoom } from './dead-letter-room.ts';
import type { Relay } from './relay.ts';
import type { RelayGroup, RelayJob } from './relay-job.ts';
import { overCap, type RouteCaps } from './route-caps.ts';
import type { RouteMatcher } from './route-matcher.ts';

export interface SweepOptions {
  readonly pool: Pool;
  readonly relay: Relay;
  readonly matcher: RouteMatcher;
  readonly caps: Pick<RouteCaps, 'take'>;
  readonly room: DeadLetterRoom;
  readonly metrics: Pick<RoutingMetrics, 'swept'>;
  /** Whether messages wait to be settled. */
  readonly isBusy: () => boolean;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly intervalMs?: number;
}

export const sweepDefaults = {
  intervalMs: 1_000,
  /** Groups taken at once; each holds the jobs of one settled batch. */
  groups: 8,
  /** What was taken and not published by then is taken again, by anybody. */
  leaseMs: 10_000,
  /** Less than the lease by the time that publishing takes. */
  beginWithinMs: 5_000,
  /** With more jobs owed than this, new ones are refused: something is wrong that time does not mend. */
  maxOwedJobs: 1_000_000,
} as const;

export interface Sweep {
  /** Jobs in the outbox, as of the latest look. */
  readonly owed: number;
  readonly isFull: boolean;
  drain(): Promise<void>;
}

/**
 * Publishes what lies in the outbox and nobody publishes from memory: after a crash, when a relay could not take it or
 * did not hear of its PubAcks, changes of status, and what a replay or a backfill put there.
 */
export function startSweep(options: SweepOptions): Sweep {
  const { pool, log, intervalMs = sweepDefaults.intervalMs } = options;
  const waker = createWaker();
  const state = { owed: 0, stopped: false, failing: false };

  async function look(): Promise<boolean> {
    state.owed = await countOwed(pool);
    if (!options.relay.hasRoom) return false;
    const groups = options.isBusy() ? 1 : sweepDefaults.groups;
    const taken = await takeOwed(pool, { groups, leaseMs: sweepDefaults.leaseMs });
    if (taken.length === 0) return false;
    options.metrics.swept(taken.length);
    const beginBeforeMs = options.clock() + sweepDefaults.beginWithinMs;
    for (const group of await prepare(taken, options)) options.relay.offer({ ...group, beginBeforeMs });
    return taken.length === groups;
  }

  async function run(): Promise<void> {
    while (!state.stopped) {
      let more = false;
      try {
        more = await look();
        state.failing = false;
      } catch (error) {
        if (!state.failing)
          log.warn(
            { event: 'outbox_not_swept', error: String(error) },
            'the outbox cannot be read: trying again',
          );
        state.failing = true;
      }
      if (!more && !state.stopped) await waker.wait(intervalMs);
    }
  }

  const running = run();
  return {
    get owed() {
      return state.owed;
    },
    get isFull() {
      return state.owed > sweepDefaults.maxOwedJobs;
    },
    drain: async () => {
      state.stopped = true;
      waker.wake();
      await running;
    },
  };
}

async function prepare(taken: readonly OwedGroup[], options: SweepOptions): Promise<PreparedGroup[]> {
  const keys = new Map(taken.flatMap(({ jobs }) => jobs.map((job) => [keyOf(job), job] as const)));
  const messages = keys.size === 0 ? [] : await selectMessages(options.pool, [...keys.values()]);
  const bodies = new Map(messages.map((message) => [keyOf(message), toBody(message)]));
  return taken.map((group) =>
    group.event === undefined || group.tenantId === undefined
      ? messageGroup(group, bodies, options)
      : statusGroup(group, group.tenantId, group.event, options),
  );
}

type PreparedGroup = Omit<RelayGroup, 'beginBeforeMs'>;

interface Body {
  readonly tenantId: string;
  readonly text: string;
}

function toBody(message: StoredMessage): Body {
  return { tenantId: message.tenantId, text: encodeMessageBody(message) };
}

function keyOf({ timeUs, identity }: { readonly timeUs: number; readonly identity: string }): string {
  return `${timeUs}/${identity}`;
}

function messageGroup(
  { jobGroup, jobs }: OwedGroup,
  bodies: ReadonlyMap<string, Body>,
  { room }: SweepOptions,
): PreparedGroup {
  const found: RelayJob[] = [];
  const failed: FailedJob[] = [];
  for (const job of jobs) {
    const body = bodies.get(keyOf(job));
    if (body !== undefined) found.push({ ...job, tenantId: body.tenantId, body: body.text });
    else failed.push({ ...job, ...gone, jobGroup, kept: room.take('') });
  }
  return { jobGroup, kind: 'message', size: found.length, jobs: found, failed };
}

const gone = { reason: 'UNDELIVERABLE', detail: 'the message is not stored any more' } as const;

function statusGroup(
  { jobGroup }: OwedGroup,
  tenantId: string,
  event: StatusEvent,
  { matcher, caps, room }: SweepOptions,
): PreparedGroup {
  const identity = statusIdentity(tenantId, event.deviceId, event);
  const sinceMs = Date.parse(event.since);
  const jobs: RelayJob[] = [];
  const failed: FailedJob[] = [];
  const body = encodeStatusBody({ tenantId, identity, ...event });
  if (event.routeId !== undefined) {
    const job = { tenantId, routeId: event.routeId, identity, timeUs: undefined, body };
    return { jobGroup, kind: 'status', isAgain: true, size: 1, jobs: [job], failed };
  }
  for (const route of matcher.matchStatus({ tenantId, ...event, sinceMs })?.matched ?? []) {
    const job = { tenantId, routeId: route.routeId, identity, timeUs: undefined, body };
    if (caps.take(route, sinceMs)) jobs.push(job);
    else
      failed.push({
        ...job,
        ...refusedByCap(overCap(route)),
        jobGroup,
        identity: undefined,
        kept: room.take(tenantId),
      });
  }
  return { jobGroup, kind: 'status', size: jobs.length, jobs, failed };
}

function refusedByCap(detail: string) {
  return { reason: 'ROUTES_FULL', detail } as const;
}
