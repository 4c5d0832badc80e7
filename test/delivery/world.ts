import { randomBytes, randomUUID } from 'node:crypto';
import { headers } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { createAddressGuard, resolveWithSystem } from '../../src/delivery/address/guarded-lookup.ts';
import { parseCidrs } from '../../src/delivery/address/ranges.ts';
import {
  type Delivery,
  type DeliveryTuning,
  deliveryDefaults,
  startDelivery,
} from '../../src/delivery/delivery.ts';
import { RouteBook } from '../../src/delivery/route-book.ts';
import { createSenders } from '../../src/delivery/senders.ts';
import {
  encodeMessageBody,
  encodeRouteJob,
  encodeStatusBody,
  routeJobId,
} from '../../src/model/route-job.ts';
import { type RouteSecrets, sealRouteSecrets } from '../../src/model/route-secrets.ts';
import { createDeliveryMetrics } from '../../src/observe/delivery.ts';
import { selectRouteChanges } from '../../src/store/delivery/delivery-routes.ts';
import { createPool } from '../../src/store/pool.ts';
import { startPuller } from '../../src/stream/puller.ts';
import { consumerInfo, streamInfo } from '../../src/stream/stream-info.ts';
import { routesConsumerName, routesStreamName } from '../../src/stream/subjects.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { until } from '../harness/until.ts';
import { silent, startTestStream } from '../stream/stream-fixture.ts';

export const secretsKey = randomBytes(32);

export const newSigningSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

export interface DeadLetter {
  readonly reason: string;
  readonly detail: string;
  readonly attempts: number;
  readonly route_name: string;
}

export interface Totals {
  readonly delivered: number;
  readonly retried: number;
  readonly dead: number;
  readonly waiting: number;
}

export interface WorldOptions {
  readonly tuning?: Partial<DeliveryTuning>;
  readonly timeoutMs?: number;
  readonly wallClock?: () => number;
  readonly allowed?: string;
  readonly ackWaitMs?: number;
  readonly log?: Logger;
}

export type DeliveryWorld = Awaited<ReturnType<typeof startDeliveryWorld>>;

/** Delivery against a real NATS and PostgreSQL, with jobs published as workers publish them. Tenants `t1` and `t2`. */
export async function startDeliveryWorld(options: WorldOptions = {}) {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const stream = cleanup.use(
    await startTestStream({ routesMaxBytes: 64 * 1024 ** 2, ackWaitMs: options.ackWaitMs ?? 30_000 }),
  );
  const { nc } = stream;
  const pool = createPool({ databaseUrl: database.url, max: 5, name: 'tributary delivery', log: silent });
  cleanup.defer(() => pool.end());
  await database.pool.query(`insert into tenants (tenant_id) values ('t1'), ('t2')`);
  const running: Delivery[] = [];
  cleanup.defer(async () => {
    await Promise.all(running.map((delivery) => delivery.drain()));
  });

  const start = () => {
    const { timeoutMs = 2_000, wallClock = Date.now, allowed = '127.0.0.0/8', tuning } = options;
    const { log = silent } = options;
    const clocks = { now: () => performance.now(), wallClock, random: Math.random, log };
    const guard = createAddressGuard(parseCidrs(allowed), resolveWithSystem);
    const id = `delivery-${randomUUID()}`;
    const senders = createSenders({
      ...clocks,
      nc,
      guard,
      secretsKey,
      timeoutMs,
      id,
      userAgent: 'Tributary/test',
    });
    const delivery = startDelivery({
      ...clocks,
      pool,
      puller: startPuller({
        nc,
        stream: routesStreamName,
        consumer: routesConsumerName,
        batchSize: 256,
        lingerMs: 5,
        maxBuffered: 1_024,
        log: silent,
      }),
      book: new RouteBook({ load: (since) => selectRouteChanges(pool, since), createSender: senders.create }),
      metrics: createDeliveryMetrics(new Registry()),
      tuning: { ...deliveryDefaults, ...tuning },
      ackWaitMs: 30_000,
      shard: 3,
    });
    running.push(delivery);
    return delivery;
  };

  const addRoute = async (
    name: string,
    destination: unknown,
    more: { readonly secrets?: RouteSecrets; readonly tenantId?: string } = {},
  ) => {
    const { secrets, tenantId = 't1' } = more;
    const sealed = secrets === undefined ? null : sealRouteSecrets(secrets, secretsKey, tenantId, name);
    const { rows } = await database.pool.query<{ route_id: number }>(
      `insert into routes (tenant_id, name, topic_filter, destination, secrets) values ($1, $2, '#', $3, $4)
       returning route_id`,
      [tenantId, name, JSON.stringify(destination), sealed],
    );
    return rows[0]?.route_id ?? 0;
  };

  const publish = async (routeId: number, text: string, identity: string, tenantId: string) => {
    const msgHeaders = headers();
    msgHeaders.set('Nats-Msg-Id', routeJobId({ routeId, identity }));
    await nc.request(`routes.${tenantId}`, text, { headers: msgHeaders, timeout: 5_000 });
  };

  /** Publishes a job for one message; `n` is in its metrics. @returns the job's id */
  const send = async (routeId: number, n: number, tenantId = 't1', deviceId = 'd1') => {
    const identity = randomBytes(16).toString('hex');
    const arrivedAt = new Date().toISOString();
    const message = { tenantId, deviceId, identity, siteId: 's1', msgType: 'telemetry', seq: undefined };
    const texts = {
      time: arrivedAt,
      arrivedAt,
      metricsText: `{"n":${n},"exact":1.10}`,
      extraText: undefined,
    };
    await publish(
      routeId,
      encodeRouteJob(routeId, identity, encodeMessageBody({ ...message, ...texts })),
      identity,
      tenantId,
    );
    return routeJobId({ routeId, identity });
  };

  const sendStatus = async (routeId: number, status: string, tenantId = 't1') => {
    const identity = randomBytes(16).toString('hex');
    const event = {
      tenantId,
      deviceId: 'd1',
      identity,
      status,
      previous: 'ONLINE',
      since: new Date().toISOString(),
    };
    await publish(routeId, encodeRouteJob(routeId, identity, encodeStatusBody(event)), identity, tenantId);
    return routeJobId({ routeId, identity });
  };

  const deadLetters = async (routeId: number): Promise<DeadLetter[]> => {
    const text =
      'select reason, detail, attempts, route_name from dead_letters where route_id = $1 order by dead_letter_id';
    return (await database.pool.query<DeadLetter>(text, [routeId])).rows;
  };

  const totals = async (routeId: number): Promise<Totals> => {
    const { rows } = await database.pool.query<Totals>(
      `select coalesce(sum(delivered), 0)::int as delivered, coalesce(sum(retried), 0)::int as retried,
              coalesce(sum(dead), 0)::int as dead,
              (select coalesce(sum(jobs), 0)::int from route_schedule where route_id = $1) as waiting
       from route_totals where route_id = $1`,
      [routeId],
    );
    return rows[0] ?? { delivered: 0, retried: 0, dead: 0, waiting: 0 };
  };

  /** Resolves when the route's jobs are all settled: `jobs` of them delivered or dead, and none waits. */
  const settled = (routeId: number, jobs: number, timeoutMs = 15_000) =>
    until(
      async () => {
        const { delivered, dead, waiting } = await totals(routeId);
        return delivered + dead >= jobs && waiting === 0;
      },
      { what: `${jobs} jobs of route ${routeId} are settled`, timeoutMs },
    );

  /** What is on ROUTES and not acknowledged. */
  const onStream = async () => {
    const { state } = await streamInfo(nc, routesStreamName);
    const { ackPending } = await consumerInfo(nc, routesStreamName, routesConsumerName);
    return { messages: state.messages, ackPending };
  };

  const owned = cleanup.move();
  return {
    ...stream,
    pool: database.pool,
    databaseUrl: database.url,
    start,
    addRoute,
    send,
    sendStatus,
    deadLetters,
    totals,
    settled,
    onStream,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
