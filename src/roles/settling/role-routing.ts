import { randomInt } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../../config/settings.ts';
import { withDeadline } from '../../lib/deadline.ts';
import type { RoutesView } from '../../model/route.ts';
import { createRoutingMetrics } from '../../observe/routing.ts';
import { routeTotalsShards } from '../../store/routes/add-to-route-totals.ts';
import { startBacklogMonitor } from '../../stream/backlog.ts';
import { createPublisher } from '../../stream/publisher.ts';
import { routesConsumerName, routesStreamName } from '../../stream/subjects.ts';
import { type RunningRouting, routingDefaults, startRouting } from '../../worker/routing/start-routing.ts';

export interface RoleRoutingOptions {
  readonly config: Config;
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  readonly registry: RoutesView;
  readonly metrics: Registry;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly log: Logger;
}

const goodbyeMs = 500;

/** A worker's routing with its own publisher of ROUTES, which keeps to that stream's configured limits. */
export function startRoleRouting(options: RoleRoutingOptions): RunningRouting {
  const { config, nc, pool, registry, now, random, log } = options;
  const { publishTimeoutMs, maxInFlight, maxInFlightBytes } = routingDefaults;
  const stream = routesStreamName;
  const backlog = startBacklogMonitor({
    nc,
    stream,
    consumer: routesConsumerName,
    limits: { maxBytes: config.routesMaxBytes, maxPerTenant: config.routesMaxPerTenant },
    log,
    clock: now,
  });
  const publisher = createPublisher({
    nc,
    stream,
    publishTimeoutMs,
    maxInFlight,
    maxInFlightBytes,
    room: backlog,
    log,
    clock: now,
  });
  const running = startRouting({
    pool,
    routes: registry,
    publisher,
    maxDeadLetters: config.deadLettersMaxPerTenant,
    totalsShard: randomInt(routeTotalsShards),
    fullBatch: config.batchSize,
    metrics: createRoutingMetrics(options.metrics),
    clock: now,
    random,
    log,
  });
  return {
    routing: running.routing,
    drain: async () => {
      await running.drain();
      // What has no answer by now is published again by the sweep.
      await withDeadline(publisher.drain(), goodbyeMs, () => undefined);
      await backlog.drain();
    },
  };
}
