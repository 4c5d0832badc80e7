import type { RouteRule } from '../../model/route.ts';
import type { Reading } from '../../model/verdict.ts';
import type { RoutingMetrics } from '../../observe/routing.ts';
import { insertOutbox, type OwedJob, type RefusedJob } from '../../store/routes/insert-outbox.ts';
import { type DeviceRef, recordReturns, selectOffline } from '../../store/routes/record-returns.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import type { Claimed } from '../plan.ts';
import type { DeadLetterRoom } from './dead-letter-room.ts';
import { overCap, type RouteCaps } from './route-caps.ts';
import type { RouteMatcher } from './route-matcher.ts';

/*
 * INV. A job exists from the COMMIT that stores its message, as part of a row of `route_outbox`, until ROUTES has it or
 * it is a dead letter. Nothing here can change what becomes of a message.
 */

/** The jobs of one transaction, for whoever publishes them from memory. */
export interface RoutedGroup {
  readonly jobGroup: string;
  readonly messages: readonly RoutedReading[];
}

export interface RoutedReading {
  readonly reading: Reading;
  readonly identity: string;
  readonly routeIds: readonly number[];
}

export interface Routing {
  /**
   * Writes down what the stored messages' routes are owed, inside the transaction that stores them.
   * @returns what to call after its COMMIT
   */
  record(db: Queryable, messages: readonly Claimed[]): Promise<() => void>;
  /**
   * Called before devices' last-seen is moved on. @returns what to call after: it writes down which devices came back
   */
  watchReturns(db: Queryable, messages: readonly Claimed[]): Promise<() => Promise<void>>;
}

export interface RoutingOptions {
  readonly matcher: RouteMatcher;
  readonly caps: RouteCaps;
  readonly room: DeadLetterRoom;
  /** For how long `publish` has a group to itself, in ms; 0 where nobody publishes from memory. */
  readonly ownForMs: number;
  /** Takes a committed group; what it cannot take the sweep finds. */
  readonly publish: (group: RoutedGroup) => void;
  /** Told how many messages each transaction has. */
  readonly onBatch?: (messages: number) => void;
  /** Whether so much is owed already that new jobs are refused. */
  readonly isFull: () => boolean;
  readonly metrics: Pick<RoutingMetrics, 'routed'>;
}

export function createRouting(options: RoutingOptions): Routing {
  const { matcher, ownForMs, publish, metrics } = options;
  const decide = createDecisions(options);
  return {
    async record(db, messages) {
      options.onBatch?.(messages.length);
      const batch = new Batch();
      for (const { entry, verdict, outcome } of messages) {
        if (outcome !== 'stored' || verdict.outcome !== 'accept') continue;
        const decision = decide(verdict.reading);
        if (decision !== undefined) batch.add(verdict.reading, entry.decoded.identity.identity, decision);
      }
      if (batch.isEmpty) return () => undefined;
      const jobGroup = await insertOutbox(db, batch.group(), ownForMs);
      return () => {
        metrics.routed(batch.counts());
        publish({ jobGroup, messages: batch.messages });
      };
    },

    async watchReturns(db, messages) {
      const devices = devicesFollowed(messages, matcher);
      if (devices.length === 0) return async () => undefined;
      const offline = await selectOffline(db, devices);
      return async () => {
        if (offline.length > 0) await recordReturns(db, offline);
      };
    },
  };
}

/** What becomes of one message's jobs. */
interface Decision {
  readonly routeIds: readonly number[];
  readonly refused: readonly { readonly routeId: number; readonly detail: string; readonly kept: boolean }[];
  readonly failed: readonly RouteRule[];
}

/**
 * Decided once for all attempts at a transaction: one that is tried again does not take from the caps again. A route
 * that changed in between counts from the next message on.
 */
function createDecisions({ matcher, caps, room, isFull }: RoutingOptions) {
  const known = new WeakMap<Reading, Decision>();
  return (reading: Reading): Decision | undefined => {
    const matches = matcher.matchReading(reading);
    if (matches === undefined || matches.matched.length + matches.failed.length === 0) return undefined;
    const before = known.get(reading);
    if (before !== undefined) return before;
    const routeIds: number[] = [];
    const refused: Decision['refused'][number][] = [];
    for (const route of matches.matched) {
      const detail = isFull()
        ? tooMuchOwed
        : caps.take(route, reading.arrivedAtMs)
          ? undefined
          : overCap(route);
      if (detail === undefined) routeIds.push(route.routeId);
      else refused.push({ routeId: route.routeId, detail, kept: room.take(reading.tenantId) });
    }
    const decision = { routeIds, refused, failed: matches.failed };
    known.set(reading, decision);
    return decision;
  };
}

const tooMuchOwed = 'too many jobs wait to be published to ROUTES';

/** The jobs of one transaction as they are gathered. */
class Batch {
  readonly messages: RoutedReading[] = [];
  readonly #jobs: OwedJob[] = [];
  readonly #refused: RefusedJob[] = [];
  readonly #counts = new Map<number, { conditionErrors: number; dropped: number }>();

  add(reading: Reading, identity: string, { routeIds, refused, failed }: Decision): void {
    const { timeUs } = reading;
    for (const routeId of routeIds) this.#jobs.push({ timeUs, identity, routeId });
    if (routeIds.length > 0) this.messages.push({ reading, identity, routeIds });
    for (const { routeId, detail, kept } of refused) {
      if (kept) this.#refused.push({ timeUs, identity, routeId, detail });
      else this.#countsOf(routeId).dropped += 1;
    }
    for (const { routeId } of failed) this.#countsOf(routeId).conditionErrors += 1;
  }

  get isEmpty(): boolean {
    return this.#jobs.length + this.#refused.length + this.#counts.size === 0;
  }

  group() {
    const counts = [...this.#counts].map(([routeId, count]) => ({ routeId, ...count }));
    return { jobs: this.#jobs, refused: this.#refused, counts };
  }

  counts() {
    const sum = (of: 'conditionErrors' | 'dropped') =>
      [...this.#counts.values()].reduce((total, count) => total + count[of], 0);
    return {
      jobs: this.#jobs.length,
      refused: this.#refused.length + sum('dropped'),
      conditionErrors: sum('conditionErrors'),
    };
  }

  #countsOf(routeId: number) {
    const counts = this.#counts.get(routeId) ?? { conditionErrors: 0, dropped: 0 };
    this.#counts.set(routeId, counts);
    return counts;
  }
}

/** The devices that sent something and whose tenant has a route for their coming back. */
function devicesFollowed(messages: readonly Claimed[], matcher: RouteMatcher): DeviceRef[] {
  const devices = new Map<string, DeviceRef>();
  for (const { verdict, outcome } of messages) {
    if (verdict.outcome !== 'accept' || (outcome !== 'stored' && outcome !== 'duplicate')) continue;
    const { tenantId, deviceId } = verdict.reading;
    if (matcher.followsStatus(tenantId)) devices.set(`${tenantId}/${deviceId}`, { tenantId, deviceId });
  }
  return [...devices.values()];
}
