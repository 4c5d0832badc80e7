import type { RouteRule } from '../../model/route.ts';
import type { Reading } from '../../model/verdict.ts';
import type { RoutingMetrics } from '../../observe/routing.ts';
import { insertOutbox, type OwedJob, type RefusedJob } from '../../store/routes/insert-outbox.ts';
import { type DeviceRef, recordReturns, selectOffline } from '../../store/routes/record-returns.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import type { Claimed } from '../plan.ts';
import { type DecideOptions, type Decision, decide } from './route-decision.ts';
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

export interface RoutingOptions extends DecideOptions {
  readonly matcher: RouteMatcher;
  /** For how long `publish` has a group to itself, in ms; 0 where nobody publishes from memory. */
  readonly ownForMs: number;
  /** Takes a committed group; what it cannot take the sweep finds. */
  readonly publish: (group: RoutedGroup) => void;
  /** Told how many messages each transaction has. */
  readonly onBatch?: (messages: number) => void;
  readonly metrics: Pick<RoutingMetrics, 'routed'>;
}

export function createRouting(options: RoutingOptions): Routing {
  const { matcher, ownForMs, publish, metrics } = options;
  return {
    async record(db, messages) {
      options.onBatch?.(messages.length);
      const batch = new Batch();
      for (const { entry, verdict, outcome } of messages) {
        if (outcome !== 'stored' || verdict.outcome !== 'accept') continue;
        const decision = decide(entry, verdict.reading, options);
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

/** The jobs of one transaction as they are gathered. */
class Batch {
  readonly messages: RoutedReading[] = [];
  readonly #jobs: OwedJob[] = [];
  readonly #refused: RefusedJob[] = [];
  readonly #dropped = new Tally();
  readonly #failed = new Tally();

  add(reading: Reading, identity: string, { routeIds, refused, dropped, failed }: Decision): void {
    const { timeUs } = reading;
    for (const routeId of routeIds) this.#jobs.push({ timeUs, identity, routeId });
    if (routeIds.length > 0) this.messages.push({ reading, identity, routeIds });
    for (const { routeId, detail } of refused) this.#refused.push({ timeUs, identity, routeId, detail });
    this.#dropped.add(dropped);
    this.#failed.add(failed);
  }

  get isEmpty(): boolean {
    return this.#jobs.length + this.#refused.length + this.#dropped.total + this.#failed.total === 0;
  }

  group() {
    const [dropped, failed] = [this.#dropped.byRoute(), this.#failed.byRoute()];
    const counts = [...new Set([...dropped.keys(), ...failed.keys()])].map((routeId) => ({
      routeId,
      conditionErrors: failed.get(routeId) ?? 0,
      dropped: dropped.get(routeId) ?? 0,
    }));
    return { jobs: this.#jobs, refused: this.#refused, counts };
  }

  counts() {
    return {
      jobs: this.#jobs.length,
      refused: this.#refused.length + this.#dropped.total,
      conditionErrors: this.#failed.total,
    };
  }
}

/** How often each route was counted. Of many messages in a row the same array comes, and is counted as one. */
class Tally {
  total = 0;
  readonly #times = new Map<readonly RouteRule[], number>();

  add(routes: readonly RouteRule[]): void {
    if (routes.length === 0) return;
    this.total += routes.length;
    this.#times.set(routes, (this.#times.get(routes) ?? 0) + 1);
  }

  byRoute(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const [routes, times] of this.#times)
      for (const { routeId } of routes) counts.set(routeId, (counts.get(routeId) ?? 0) + times);
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
