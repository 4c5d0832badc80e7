import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { withDeadline } from '../../lib/deadline.ts';
import { isoMicroseconds } from '../../lib/iso-microseconds.ts';
import type { RoutesView } from '../../model/route.ts';
import { createConditionCompiler } from '../../model/route-condition.ts';
import { encodeMessageBody } from '../../model/route-job.ts';
import type { RoutingMetrics } from '../../observe/routing.ts';
import { closeGroups } from '../../store/routes/close-groups.ts';
import type { Publisher } from '../../stream/publisher.ts';
import { routesSubject } from '../../stream/subjects.ts';
import { createDeadLetterRoom } from './dead-letter-room.ts';
import { createLoadWatch } from './load-watch.ts';
import { relayDefaults, startRelay } from './relay.ts';
import type { RelayGroup, RelayJob } from './relay-job.ts';
import { createRouteCaps } from './route-caps.ts';
import { createRouteMatcher } from './route-matcher.ts';
import { createRouting, type RoutedGroup, type Routing } from './routing.ts';
import { startSweep } from './sweep.ts';

export interface StartRoutingOptions {
  readonly pool: Pool;
  readonly routes: RoutesView;
  /** Of ROUTES. Stays the caller's. */
  readonly publisher: Pick<Publisher, 'publish'>;
  /** Dead letters that a tenant may have. */
  readonly maxDeadLetters: number;
  /** This worker's shard of the totals. */
  readonly totalsShard: number;
  /** Messages of a transaction that is full: more wait behind it. */
  readonly fullBatch: number;
  readonly metrics: RoutingMetrics;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  readonly random: () => number;
  readonly log: Logger;
  readonly sweepEveryMs?: number;
}

export const routingDefaults = {
  /** For how long a committed group is left to this worker. */
  ownForMs: 5_000,
  /** What it has not begun to publish by then it leaves to the sweep. */
  beginWithinMs: 3_000,
  /** A publish without an answer for so long is left to the sweep. */
  publishTimeoutMs: 4_000,
  maxInFlight: relayDefaults.maxInFlight * 2,
  maxInFlightBytes: 64 * 1024 ** 2,
  drainMs: 2_000,
} as const;

export interface RunningRouting {
  readonly routing: Routing;
  /** After settling has ended: publishes what it still can; the rest stays in the outbox. */
  drain(): Promise<void>;
}

/** Matching, the outbox, and the way from there to ROUTES. */
export function startRouting(options: StartRoutingOptions): RunningRouting {
  const { pool, routes, publisher, totalsShard: shard, metrics, clock, random, log } = options;
  const matcher = createRouteMatcher({ routes, compile: createConditionCompiler() });
  const caps = createRouteCaps();
  const room = createDeadLetterRoom(options.maxDeadLetters, clock);
  const load = createLoadWatch(options.fullBatch, clock);
  const { isBusy, mayPublish } = load;
  const relay = startRelay({
    publisher,
    subjectOf: routesSubject,
    close: (closed) => closeGroups(pool, { ...closed, shard }),
    room,
    metrics,
    isBusy,
    mayPublish,
    clock,
    random,
    log,
  });
  const sweepOptions = { pool, relay, matcher, caps, room, metrics, isBusy, clock, log };
  const sweep = startSweep(
    options.sweepEveryMs === undefined ? sweepOptions : { ...sweepOptions, intervalMs: options.sweepEveryMs },
  );
  metrics.watch(() => ({ inHand: relay.inHand, owed: sweep.owed }));
  const routing = createRouting({
    matcher,
    caps,
    room,
    ownForMs: routingDefaults.ownForMs,
    publish: (group) => void relay.offer(toRelayGroup(group, clock() + routingDefaults.beginWithinMs)),
    onBatch: load.settled,
    isFull: () => sweep.isFull,
    metrics,
  });
  return {
    routing,
    drain: async () => {
      // A query of the sweep may wait for a database that fell silent; what it reads is owed still at the next start.
      const swept = withDeadline(sweep.drain(), routingDefaults.drainMs, () => undefined);
      await Promise.all([swept, relay.drain(routingDefaults.drainMs)]);
    },
  };
}

function toRelayGroup({ jobGroup, messages }: RoutedGroup, beginBeforeMs: number): RelayGroup {
  const size = messages.reduce((sum, { routeIds }) => sum + routeIds.length, 0);
  const jobs = { [Symbol.iterator]: () => jobsOf(messages) };
  return { jobGroup, kind: 'message', size, jobs, failed: [], beginBeforeMs };
}

function* jobsOf(messages: RoutedGroup['messages']): Generator<RelayJob, undefined> {
  for (const { reading, identity, routeIds } of messages) {
    const { tenantId, timeUs } = reading;
    const time = isoMicroseconds(timeUs);
    const arrivedAt = new Date(reading.arrivedAtMs).toISOString();
    const body = encodeMessageBody({ ...reading, identity, time, arrivedAt });
    for (const routeId of routeIds) yield { tenantId, routeId, identity, timeUs, body };
  }
  return undefined;
}
