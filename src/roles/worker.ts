import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Auditor } from '../audit/auditor.ts';
import type { Config } from '../config/settings.ts';
import { createLog } from '../observe/create-log.ts';
import { createRoleRegistry } from '../observe/process.ts';
import { createRollupMetrics } from '../observe/rollups.ts';
import type { Tracer } from '../observe/tracer.ts';
import { createWorkerMetrics } from '../observe/worker.ts';
import { startMaintenance } from '../store/maintenance.ts';
import { createPool } from '../store/pool.ts';
import { type RegistryFeed, startRegistryFeed } from '../store/registry-feed.ts';
import { startRoller } from '../store/series/roller.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { consumerName, streamName } from '../stream/subjects.ts';
import { startDeferredLatest } from '../worker/latest/deferred-latest.ts';
import { startLimitSharing } from '../worker/limit-sharing.ts';
import { startRateLimitAnswer } from '../worker/rate-limit-answer.ts';
import { createRateLimiter } from '../worker/rate-limiter.ts';
import { startSettleLoop } from '../worker/settle-loop.ts';
import { createSettledCounts } from '../worker/settled-counts.ts';
import { soon } from './process/goodbye.ts';
import type { RoleDeps, RoleInstruments } from './process/role-deps.ts';
import { createRoleId, serveRoleStatus, version } from './process/role-status.ts';
import { startRoleTracing } from './process/role-tracing.ts';
import { requireDatabaseUrl, requireNatsUrl } from './servers/addresses.ts';
import { natsDial } from './servers/dial-nats.ts';
import { startNatsDialer } from './servers/nats-dialer.ts';
import { startRolePuller } from './servers/role-puller.ts';
import { type RunningWork, startWorkWithBoth } from './servers/work-with-both.ts';
import { createAfterCommit } from './settling/after-commit.ts';
import { startAlarms } from './settling/alarms.ts';
import { quarantineLimits } from './settling/quarantine-limits.ts';
import { auditOf, createRoleAuditor } from './settling/role-audit.ts';
import { startRoleRouting } from './settling/role-routing.ts';
import { createSettleSteps } from './settling/settle-steps.ts';
import { answerByTenant, type RoleQuestion } from './status/role-question.ts';

export const workerDefaults = {
  /** How long a drain may go on settling; what is left is given back and delivered again. */
  settleDeadlineMs: 8_000,
  /** Batches that wait while others are settled, so that PostgreSQL never waits for JetStream. */
  batchesBuffered: 2,
  registryPollMs: 400,
  /** A batch is settled within a second: a way to the database that fell silent must not hold it up for long. */
  timeouts: {
    statementTimeoutMs: 15_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 15_000,
    answerTimeoutMs: 18_000,
  },
  /** Connections beside those that settle: partitions, epochs, the outbox's relay and its sweep, latest values. */
  spareConnections: 5,
} as const;

const queue = { stream: streamName, consumer: consumerName } as const;

/**
 * Pulls from TELEMETRY, settles in PostgreSQL, acks. Returns at once and waits for both servers for as long as
 * it takes; says `ready` when it pulls.
 *
 * @throws Error with one sentence for addresses that are missing
 */
export async function startWorker(config: Config, deps: RoleDeps = {}): Promise<RunningWork> {
  const { now = () => performance.now(), random = Math.random, wallClock = Date.now } = deps;
  const log = deps.log ?? createLog({ level: config.logLevel });
  const url = requireNatsUrl(config);
  const databaseUrl = requireDatabaseUrl(config);
  const id = createRoleId('worker', random);
  const name = 'tributary worker';
  const metrics = createRoleRegistry('worker', version);
  const instruments = { metrics, log, now, wallClock, random };
  const tracing = startRoleTracing({ config, role: 'worker', id, ...instruments });
  const { tracer } = tracing;
  const max = config.batchesInFlight + workerDefaults.spareConnections;
  const pool = createPool({ databaseUrl, max, name, log, timeouts: workerDefaults.timeouts });
  const pollMs = workerDefaults.registryPollMs;
  const registry = startRegistryFeed({ pool, pollMs, devices: true, routes: true, log, clock: now });
  const dialer = startNatsDialer({ connect: natsDial({ config, url, role: 'worker', log }), log, random });
  const auditor = createRoleAuditor({ nats: dialer.current, pool, metrics, log, now, wallClock });
  const tasks = (client: Queryable) => [{ name: 'audit', run: () => auditor.run(client) }];
  const maintenance = startMaintenance({
    ...config,
    quarantineLimits: quarantineLimits(config),
    pool,
    log,
    clock: now,
    wallClock,
    tasks,
  });
  const rollups = createRollupMetrics(metrics);
  const roller = startRoller({ pool, log, clock: now, wallClock, metrics: rollups });
  const work = startWorkWithBoth({
    role: 'worker',
    id,
    config,
    pool,
    dialer,
    queue,
    metrics,
    maintenance: { drain: async () => void (await Promise.all([maintenance.drain(), roller.drain()])) },
    registry,
    start: (nc, onFailure) =>
      startWork({ config, id, nc, pool, registry, auditor, tracer, onFailure, ...instruments }),
    log,
    random,
  });
  return {
    failed: work.failed,
    async drain() {
      await work.drain();
      await tracing.drain();
    },
  };
}

interface WorkOptions extends RoleInstruments {
  readonly config: Config;
  readonly id: string;
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  readonly registry: RegistryFeed;
  readonly auditor: Auditor;
  readonly tracer: Tracer | undefined;
  readonly onFailure: (error: unknown) => void;
}

/** Everything that needs both servers. */
function startWork(options: WorkOptions): { drain(): Promise<void> } {
  const { config, id, nc, pool, registry, log, now } = options;
  const limiter = createRateLimiter({
    device: { ratePerSecond: config.deviceRate, burst: config.deviceBurst },
    tenant: { ratePerSecond: config.tenantRate, burst: config.tenantBurst },
  });
  const metrics = createWorkerMetrics(options.metrics);
  const counts = createSettledCounts(metrics, options.wallClock);
  const tell = createAfterCommit(options);
  const routes = startRoleRouting(options);
  const latest = startDeferredLatest({ pool, maxSensors: config.maxSensors, log, clock: now });
  const loop = startSettleLoop({
    ...createSettleSteps({ ...options, limiter, latest, routing: routes.routing }),
    puller: startRolePuller(
      { ...options, queue },
      {
        batchSize: config.batchSize,
        lingerMs: config.batchLingerMs,
        maxBuffered: config.batchSize * workerDefaults.batchesBuffered,
      },
    ),
    onSettled: (settled) => {
      tell(settled);
      counts.add(settled);
    },
    onRetry: metrics.retried,
    lanes: config.batchesInFlight,
    ackWaitMs: config.ackWaitMs,
    random: options.random,
    log,
  });
  loop.done.catch(options.onFailure);
  const sharing = startLimitSharing({ nc, limiter, workerId: id, log });
  const answer = startRateLimitAnswer({ nc, limiter, workerId: id, log });
  const more = (question: RoleQuestion) => ({
    settled: counts.snapshot(),
    doorToRowHistogramMs: counts.doorToRowMs(),
    registryVersion: registry.version,
    registryFresh: registry.fresh,
    ...auditOf(options.auditor),
    ...answerByTenant(question, counts.byTenant),
  });
  const alarms = startAlarms({ nc, pool, metrics: options.metrics, log });
  const status = serveRoleStatus({ nc, role: 'worker', id, now, more });
  log.info({ event: 'ready', role: 'worker', id }, 'worker ready');
  return {
    async drain() {
      await loop.drain(workerDefaults.settleDeadlineMs).catch(options.onFailure);
      await routes.drain();
      // What is not written in time stays owed: whoever comes next writes it.
      await soon(latest.drain());
      await soon(Promise.all([sharing.drain(), answer.drain(), status.drain(), alarms.drain()]));
    },
  };
}
