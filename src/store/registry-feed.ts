import type pg from 'pg';
import type { Logger } from 'pino';
import { createWaker } from '../lib/waker.ts';
import type { RegistryView } from '../model/registry.ts';
import type { RoutesView } from '../model/route.ts';
import { startFollowing } from './feed/follow-registry.ts';
import { createRefreshQueue } from './feed/refresh-queue.ts';
import { createRegistryLoader } from './feed/registry-loader.ts';

export interface RegistryFeedOptions {
  /** Whose options the feed's own connection takes; it never takes one of the pool's. */
  readonly pool: pg.Pool;
  /** How often the registry's version is looked at, in ms. */
  readonly pollMs: number;
  /** False: tenants only; `device` then knows nobody. */
  readonly devices: boolean;
  /** Whether routes are loaded; absent: no, and `routesOf` then knows none. */
  readonly routes?: boolean;
  readonly log: Logger;
  /** Milliseconds that never go back, such as `performance.now`. */
  readonly clock: () => number;
  /** Devices per query when loading. */
  readonly pageSize?: number;
  /** A query that is not answered for so long is on a dead connection, which is replaced. */
  readonly queryTimeoutMs?: number;
}

/** The registry in memory, kept up to date. Survives every outage of the database with what it knew last. */
export interface RegistryFeed extends RegistryView, RoutesView {
  /** -1 until the first load. */
  readonly version: number;
  /** Whether the first load has happened. Until then no tenant and no device is known. */
  readonly loaded: boolean;
  /** A version check succeeded less than 1 s ago. */
  readonly fresh: boolean;
  /** Resolves after the first load, however long the database is away; rejects when drained before. */
  readonly ready: Promise<void>;
  /**
   * Loads what changed; resolves once `version` ≥ `atLeast`, at once when it is. Without `atLeast`: everything that
   * was committed before the call. Rejects with the database's error when it cannot be asked.
   */
  refresh(atLeast?: number): Promise<void>;
  drain(): Promise<void>;
}

export const registryFeedDefaults = {
  pageSize: 5_000,
  /** How long a version check counts. */
  freshForMs: 1_000,
  queryTimeoutMs: 5_000,
  reconnect: { baseMs: 100, maxMs: 1_000 },
} as const;

/**
 * Starts the feed and returns at once: it loads as soon as the database answers.
 *
 * A poll of the registry's version is the truth; a notification (LISTEN) only makes the next poll come at once, and
 * may get lost. One connection of the feed's own does both, so that a refresh inside a settling transaction cannot
 * wait for a connection that other settling transactions hold.
 */
export function startRegistryFeed(options: RegistryFeedOptions): RegistryFeed {
  const { pool, pollMs, log, clock } = options;
  const { pageSize, freshForMs, queryTimeoutMs, reconnect } = { ...registryFeedDefaults, ...options };
  const loader = createRegistryLoader(
    { withDevices: options.devices, withRoutes: options.routes ?? false, pageSize },
    clock,
  );
  const queue = createRefreshQueue();
  const waker = createWaker();
  const ready = Promise.withResolvers<void>();
  // Who does not wait for it need not handle its rejection.
  ready.promise.catch(() => {});
  let stopped = false;

  const load = async (client: pg.Client) => {
    const asked = queue.begin();
    await loader.load(client);
    ready.resolve();
    asked.loaded(loader.snapshot.version);
  };
  const onFailure = queue.rejectAll;
  const following = startFollowing({
    pool,
    pollMs,
    log,
    queryTimeoutMs,
    reconnect,
    waker,
    load,
    onFailure,
  });

  return {
    device: (tenantId, deviceId) => loader.snapshot.devices.get(tenantId, deviceId),
    tenant: (tenantId) => loader.snapshot.tenants.get(tenantId),
    routesOf: (tenantId) => loader.snapshot.routes.of(tenantId),
    ready: ready.promise,
    get version() {
      return loader.snapshot.version;
    },
    get loaded() {
      return loader.snapshot.version >= 0;
    },
    get fresh() {
      return clock() - loader.checkedAtMs < freshForMs;
    },
    refresh: async (atLeast) => {
      if (atLeast !== undefined && loader.snapshot.version >= atLeast) return;
      if (stopped) throw drainedError();
      const loaded = queue.add(atLeast ?? -1);
      waker.wake();
      await loaded;
    },
    drain: async () => {
      stopped = true;
      await following.drain();
      queue.rejectAll(drainedError());
      ready.reject(drainedError());
    },
  };
}

function drainedError(): Error {
  return new Error('The registry feed was drained: nothing is loaded any more');
}
