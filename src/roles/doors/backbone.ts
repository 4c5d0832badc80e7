import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Config } from '../../config/settings.ts';
import { type Canary, startCanary } from '../../intake/canary.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { registerBacklogMetrics } from '../../observe/backlog.ts';
import { type CanaryMetrics, createCanaryMetrics } from '../../observe/canary.ts';
import { createPublisherMetrics, type PublisherMetrics } from '../../observe/publisher.ts';
import { type BacklogMonitor, startBacklogMonitor } from '../../stream/backlog.ts';
import { createPublisher, type Publisher } from '../../stream/publisher.ts';
import { createServerWatch } from '../../stream/server-watch.ts';
import { consumerName, streamName } from '../../stream/subjects.ts';
import type { RoleInstruments } from '../process/role-deps.ts';
import { type RoleName, serveRoleStatus } from '../process/role-status.ts';
import { requireNatsUrl } from '../servers/addresses.ts';
import { prepareTopology } from '../servers/role-topology.ts';
import { type AuditListener, listenToAudit } from '../status/heard-audit.ts';
import type { RoleQuestion } from '../status/role-question.ts';

export interface BackboneOptions extends RoleInstruments {
  readonly nc: NatsConnection;
  readonly config: Config;
  readonly role: RoleName;
  readonly id: string;
  /** What the role adds to its status. */
  readonly status?: (question: RoleQuestion) => Readonly<Record<string, unknown>>;
}

/** What a door has of NATS once it is connected. */
export interface Backbone {
  readonly nc: NatsConnection;
  readonly publisher: Publisher;
  readonly backlog: BacklogMonitor;
  readonly audit: AuditListener;
  /** Resolves after the first try to make the streams that are missing. */
  readonly prepared: Promise<void>;
  /** How long ago a message was refused because TELEMETRY is full, in ms; undefined: never. */
  fullAgoMs(): number | undefined;
  /** Undefined before the streams were tried, and where no canaries are sent. */
  canary(): Canary | undefined;
  drain(): Promise<void>;
}

const topologyRetry = { baseMs: 500, maxMs: 5_000 } as const;

export function startBackbone(options: BackboneOptions): Backbone {
  const { nc, config, role, id, log, metrics, now } = options;
  let fullAtMs: number | undefined;
  const publisherMetrics = tellingOfFull(createPublisherMetrics(metrics), () => {
    fullAtMs = now();
  });
  const backlog = startBacklogMonitor({
    nc,
    stream: streamName,
    consumer: consumerName,
    limits: { maxBytes: config.streamMaxBytes, maxPerTenant: config.streamMaxPerTenant },
    log,
    clock: now,
  });
  const publisher = createPublisher({
    nc,
    stream: streamName,
    publishTimeoutMs: config.publishTimeoutMs,
    maxInFlight: config.maxInFlight,
    maxInFlightBytes: config.maxInFlightBytes,
    room: backlog,
    server: createServerWatch({ nc, url: requireNatsUrl(config), log, clock: now }),
    log,
    clock: now,
    metrics: publisherMetrics,
  });
  registerBacklogMetrics(metrics, streamName, backlog.current, options.wallClock);
  const audit = listenToAudit(nc, now);
  const more = (question: RoleQuestion) => ({
    inFlight: publisher.inFlight,
    ...options.status?.(question),
  });
  const status = serveRoleStatus({ nc, role, id, now, more });
  const stopping = new AbortController();
  let canary: Canary | undefined;
  const sendsCanaries = role === 'gateway' && config.canaryIntervalMs > 0;
  const canaryMetrics = sendsCanaries ? createCanaryMetrics(metrics) : undefined;
  const prepared = keepTrying(options, stopping.signal).then(async () => {
    // The first message, too, is told when there is no room for it.
    await backlog.look();
    if (!stopping.signal.aborted) canary = canaryOf(options, publisher, canaryMetrics);
  });
  return {
    nc,
    publisher,
    backlog,
    audit,
    prepared,
    fullAgoMs: () => (fullAtMs === undefined ? undefined : now() - fullAtMs),
    canary: () => canary,
    drain: async () => {
      stopping.abort();
      await Promise.all([canary?.drain(), audit.drain()]);
      await Promise.all([publisher.drain(), backlog.drain(), status.drain()]);
    },
  };
}

function tellingOfFull(metrics: PublisherMetrics, tell: () => void): PublisherMetrics {
  return {
    ...metrics,
    settled(outcome, seconds) {
      metrics.settled(outcome, seconds);
      if (outcome === 'stream_full') tell();
    },
  };
}

/** One kind of door is enough to know whether what is accepted is settled. */
function canaryOf(
  { nc, config, id, now, wallClock }: BackboneOptions,
  publisher: Publisher,
  metrics: CanaryMetrics | undefined,
): Canary | undefined {
  if (metrics === undefined) return undefined;
  const { canaryIntervalMs: intervalMs } = config;
  return startCanary({ nc, publisher, id, intervalMs, now, wallClock, randomBytes, metrics });
}

/** Resolves after the first try; where that failed, further ones follow in the background. */
async function keepTrying(
  { nc, config, log, random }: BackboneOptions,
  stopping: AbortSignal,
): Promise<void> {
  if (await prepareTopology(nc, config, log)) return;
  void (async () => {
    for (let attempt = 0; !stopping.aborted; attempt++) {
      await unlessStopped(backoffMs(attempt, topologyRetry, random), stopping);
      if (stopping.aborted || (await prepareTopology(nc, config, log))) return;
    }
  })();
}

function unlessStopped(delayMs: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    stopping.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
