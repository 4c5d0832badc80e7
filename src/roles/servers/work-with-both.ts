import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../../config/settings.ts';
import { registerServerMetrics } from '../../observe/servers.ts';
import { startLeftoverWatch } from '../../stream/leftovers.ts';
import { soon } from '../process/goodbye.ts';
import { startHealthServer } from '../process/health.ts';
import { createAnswers, createDatabaseAnswers, natsAnswers } from './answers.ts';
import { closeConnection } from './close-connection.ts';
import { startDurabilityFeed } from './durability-feed.ts';
import type { NatsDialer } from './nats-dialer.ts';
import type { WorkQueue } from './role-puller.ts';
import { prepareTopology } from './role-topology.ts';
import { waitForSchema } from './wait-for-schema.ts';

interface Drainable {
  drain(): Promise<void>;
}

export interface WorkWithBothOptions {
  readonly role: 'worker' | 'delivery';
  readonly id: string;
  readonly config: Config;
  readonly pool: pg.Pool;
  readonly dialer: NatsDialer;
  readonly queue: WorkQueue;
  readonly metrics: Registry;
  /** Runs beside the work from the start. */
  readonly maintenance?: Drainable;
  /** The work waits until it is ready. */
  readonly registry?: Drainable & { readonly ready: Promise<unknown> };
  /** Begins the work. `onFailure` is for the error that no retry mends. */
  readonly start: (nc: NatsConnection, onFailure: (error: unknown) => void) => Drainable;
  readonly log: Logger;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** A role that works with NATS and PostgreSQL and has no door. */
export interface RunningWork {
  /** Rejects with the error that no retry mends: the process is to end. */
  readonly failed: Promise<never>;
  drain(): Promise<void>;
}

/** Returns at once; begins the work when both servers are there, however long that takes, and ends everything in order. */
export function startWorkWithBoth(options: WorkWithBothOptions): RunningWork {
  const { role, id, config, pool, dialer, metrics, maintenance, registry, log } = options;
  const databaseAnswers = createDatabaseAnswers(pool);
  const whyNotReady = createAnswers({ nats: dialer.current, databaseAnswers });
  const durability = startDurabilityFeed(dialer.current, config.natsMonitorUrl);
  registerServerMetrics(metrics, {
    natsAnswers: () => natsAnswers(dialer.current()),
    databaseAnswers,
    durabilityClass: durability.currentClass,
  });
  const told = { whyNotReady, durability: durability.current, metrics, log };
  const health = startHealthServer({ bind: config.bind, port: config.healthPort, ...told });
  const stopping = Promise.withResolvers<undefined>();
  let stopped = false;
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const work = beginWork(options, { isStopped: () => stopped, stopping: stopping.promise }, failed.reject);
  work.catch(failed.reject);
  return {
    failed: failed.promise,
    async drain() {
      stopped = true;
      stopping.resolve(undefined);
      health.draining();
      dialer.stop();
      durability.drain();
      const maintained = maintenance?.drain();
      const working = await work.catch(() => undefined);
      await working?.drain();
      await soon(Promise.all([maintained, registry?.drain()]));
      const nc = dialer.current();
      if (nc !== undefined) await closeConnection(nc);
      await soon(pool.end());
      await health.stop();
      log.info({ event: 'drained', role, id }, `${role} drained`);
    },
  };
}

interface Stop {
  isStopped(): boolean;
  readonly stopping: Promise<undefined>;
}

/** Undefined when it was stopped before. */
async function beginWork(
  { config, pool, dialer, queue, registry, start, log, random }: WorkWithBothOptions,
  { isStopped, stopping }: Stop,
  onFailure: (error: unknown) => void,
): Promise<Drainable | undefined> {
  const nc = await Promise.race([dialer.connected, stopping]);
  await waitForSchema({ pool, log, random, isStopped });
  await Promise.race([registry?.ready, stopping]);
  if (nc === undefined || isStopped()) return undefined;
  await prepareTopology(nc, config, log);
  if (isStopped()) return undefined;
  const work = start(nc, onFailure);
  // Of any work queue a killed server may bring back what was acknowledged.
  const leftovers = startLeftoverWatch({ nc, ...queue, random, log });
  return {
    async drain() {
      const watched = leftovers.drain();
      await work.drain();
      await soon(watched);
    },
  };
}
