import { randomInt } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Config } from '../config/settings.ts';
import { createAddressGuard, resolveWithSystem } from '../delivery/address/guarded-lookup.ts';
import { type Cidr, parseCidrs } from '../delivery/address/ranges.ts';
import { type DeliveryTuning, deliveryDefaults, startDelivery } from '../delivery/delivery.ts';
import { RouteBook } from '../delivery/route-book.ts';
import { createSenders } from '../delivery/senders.ts';
import { parseSecretsKey } from '../model/route-secrets.ts';
import { registerBacklogMetrics } from '../observe/backlog.ts';
import { createLog } from '../observe/create-log.ts';
import { createDeliveryMetrics } from '../observe/delivery.ts';
import { createRoleRegistry } from '../observe/process.ts';
import { selectRouteChanges } from '../store/delivery/delivery-routes.ts';
import { createPool } from '../store/pool.ts';
import { routeTotalsShards } from '../store/routes/add-to-route-totals.ts';
import { startBacklogMonitor } from '../stream/backlog.ts';
import { routesConsumerName, routesStreamName } from '../stream/subjects.ts';
import { soon } from './process/goodbye.ts';
import type { RoleDeps, RoleInstruments } from './process/role-deps.ts';
import { createRoleId, serveRoleStatus, version } from './process/role-status.ts';
import { requireDatabaseUrl, requireNatsUrl } from './servers/addresses.ts';
import { natsDial } from './servers/dial-nats.ts';
import { startNatsDialer } from './servers/nats-dialer.ts';
import { startRolePuller } from './servers/role-puller.ts';
import { type RunningWork, startWorkWithBoth } from './servers/work-with-both.ts';

const roleDefaults = {
  /** Settling, leasing, tidying, looking for changed routes, and one to spare. */
  connections: 5,
  /** Jobs taken from ROUTES at once. */
  batches: { batchSize: 256, lingerMs: 5, maxBuffered: 1_024 },
  /** How often ROUTES is looked at, for the metrics. */
  backlogEveryMs: 5_000,
} as const;

const queue = { stream: routesStreamName, consumer: routesConsumerName } as const;

/** What the settings say, in the forms that are used. */
interface DeliverySettings {
  readonly secretsKey: Uint8Array | undefined;
  readonly allowed: readonly Cidr[];
  readonly tuning: DeliveryTuning;
}

/**
 * Delivers the jobs on ROUTES to their destinations, and those in the schedule again. Returns at once and waits for both
 * servers for as long as it takes; says `ready` when it pulls.
 *
 * @throws Error with one sentence for addresses that are missing and for settings that cannot be used
 */
export async function startDeliveryRole(config: Config, deps: RoleDeps = {}): Promise<RunningWork> {
  const { now = () => performance.now(), random = Math.random, wallClock = Date.now } = deps;
  const log = deps.log ?? createLog({ level: config.logLevel });
  const url = requireNatsUrl(config);
  const databaseUrl = requireDatabaseUrl(config);
  const settings = settingsOf(config);
  const id = createRoleId('delivery', random);
  const name = 'tributary delivery';
  const pool = createPool({ databaseUrl, max: roleDefaults.connections, name, log });
  const metrics = createRoleRegistry('delivery', version);
  const dialer = startNatsDialer({ connect: natsDial({ config, url, role: 'delivery', log }), log, random });
  const instruments = { metrics, log, now, wallClock, random };
  return startWorkWithBoth({
    role: 'delivery',
    id,
    config,
    pool,
    dialer,
    queue,
    metrics,
    start: (nc, onFailure) => startWork({ config, settings, id, nc, pool, onFailure, ...instruments }),
    log,
    random,
  });
}

/** @throws Error that names the setting */
function settingsOf(config: Config): DeliverySettings {
  const { secretsKey, allowDestinations } = config;
  const named = <T>(variable: string, parse: () => T): T => {
    try {
      return parse();
    } catch (error) {
      throw new Error(`${variable}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  };
  const key = secretsKey;
  return {
    secretsKey: key === undefined ? undefined : named('TRIBUTARY_SECRETS_KEY', () => parseSecretsKey(key)),
    allowed: named('TRIBUTARY_ALLOW_DESTINATIONS', () => parseCidrs(allowDestinations ?? '')),
    tuning: {
      ...deliveryDefaults,
      maxWaiting: config.deliveryMaxWaiting,
      retry: {
        ...deliveryDefaults.retry,
        maxMs: config.deliveryRetryMaxMs,
        retryForMs: config.deliveryRetryForMs,
      },
      limits: {
        ...deliveryDefaults.limits,
        perRoute: config.deliveryPerRoute,
        perDestination: config.deliveryPerDestination,
        total: config.deliveryInFlight,
      },
    },
  };
}

interface WorkOptions extends RoleInstruments {
  readonly config: Config;
  readonly settings: DeliverySettings;
  readonly id: string;
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  readonly onFailure: (error: unknown) => void;
}

/** Everything that needs both servers. */
function startWork(options: WorkOptions): { drain(): Promise<void> } {
  const { config, settings, id, nc, pool, log, now } = options;
  const senders = createSenders({
    ...options,
    guard: createAddressGuard(settings.allowed, resolveWithSystem),
    secretsKey: settings.secretsKey,
    timeoutMs: config.deliveryTimeoutMs,
    userAgent: `Tributary/${version}`,
  });
  const delivery = startDelivery({
    ...options,
    puller: startRolePuller({ ...options, queue }, roleDefaults.batches),
    book: new RouteBook({
      load: (since) => selectRouteChanges(pool, since),
      createSender: senders.create,
    }),
    metrics: createDeliveryMetrics(options.metrics),
    tuning: settings.tuning,
    ackWaitMs: config.ackWaitMs,
    shard: randomInt(routeTotalsShards),
  });
  delivery.failed.catch(options.onFailure);
  const backlog = startBacklogMonitor({
    nc,
    ...queue,
    intervalMs: roleDefaults.backlogEveryMs,
    log,
    clock: now,
  });
  registerBacklogMetrics(options.metrics, routesStreamName, backlog.current, options.wallClock);
  const status = serveRoleStatus({
    nc,
    role: 'delivery',
    id,
    now,
    more: () => ({ ...delivery.current(), down: delivery.down() }),
  });
  log.info({ event: 'ready', role: 'delivery', id }, 'delivery ready');
  return {
    async drain() {
      await delivery.drain();
      await soon(Promise.all([senders.drain(), status.drain(), backlog.drain()]));
    },
  };
}
