import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import { Registry } from 'prom-client';
import { parseRouteJob, type RouteJob } from '../../../src/model/route-job.ts';
import { createRoutingMetrics } from '../../../src/observe/routing.ts';
import { createPool } from '../../../src/store/pool.ts';
import { type RegistryFeed, startRegistryFeed } from '../../../src/store/registry-feed.ts';
import type { Publisher } from '../../../src/stream/publisher.ts';
import {
  type RunningRouting,
  type StartRoutingOptions,
  startRouting,
} from '../../../src/worker/routing/start-routing.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import {
  silent,
  startTestStream,
  storedMessages,
  type TestStream,
  testPublisher,
} from '../../stream/stream-fixture.ts';
import { createSettling, type Settling } from '../settling.ts';

/** A database and a NATS with a tenant `acme`, and settling that routes. */
export interface RoutingWorld {
  readonly pool: pg.Pool;
  readonly databaseUrl: string;
  readonly feed: RegistryFeed;
  readonly nc: NatsConnection;
  readonly stream: TestStream;
  readonly publisher: Publisher;
  /** A worker's routing; ends with the world. */
  start(changes?: Partial<StartRoutingOptions>): Promise<RunningRouting & { readonly settling: Settling }>;
  outbox(): Promise<number>;
  jobs(): Promise<RouteJob[]>;
  rows<R extends pg.QueryResultRow>(sql: string): Promise<R[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function createRoutingWorld(
  topology: Parameters<typeof startTestStream>[0] = {},
): Promise<RoutingWorld> {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const stream = cleanup.use(await startTestStream(topology));
  const pool = createPool({ databaseUrl: database.url, max: 8, name: 'world', log: silent });
  cleanup.defer(() => pool.end());
  await database.pool.query(`insert into tenants (tenant_id) values ('acme')`);
  const clock = () => performance.now();
  const feed = startRegistryFeed({ pool, pollMs: 50, devices: true, routes: true, log: silent, clock });
  cleanup.defer(() => feed.drain());
  await feed.ready;
  const publisher = testPublisher(stream.nc, { stream: 'ROUTES', publishTimeoutMs: 1_000 });
  cleanup.defer(() => publisher.drain());
  const rows = async <R extends pg.QueryResultRow>(sql: string) => (await database.pool.query<R>(sql)).rows;
  const routings: RunningRouting[] = [];
  cleanup.defer(async () => {
    await Promise.all(routings.map((routing) => routing.drain()));
  });
  const owned = cleanup.move();
  return {
    pool: database.pool,
    databaseUrl: database.url,
    feed,
    nc: stream.nc,
    stream,
    publisher,
    async start(changes = {}) {
      const running = startRouting({
        pool,
        routes: feed,
        publisher,
        maxDeadLetters: 1_000,
        totalsShard: 0,
        fullBatch: 10_000,
        metrics: createRoutingMetrics(new Registry()),
        clock,
        random: Math.random,
        log: silent,
        sweepEveryMs: 20,
        ...changes,
      });
      routings.push(running);
      await feed.refresh();
      const settling = await createSettling(pool, { registry: feed, routing: running.routing });
      return { ...running, settling };
    },
    outbox: async () =>
      (await rows<{ n: number }>('select count(*)::int as n from route_outbox'))[0]?.n ?? -1,
    jobs: async () => (await storedMessages(stream.nc, 'ROUTES')).map(({ text }) => parseRouteJob(text)),
    rows,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
