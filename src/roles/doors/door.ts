import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Config } from '../../config/settings.ts';
import type { Intake } from '../../intake/intake.ts';
import { createIntakeMetrics, type IntakeCounts } from '../../observe/intake.ts';
import { registerServerMetrics } from '../../observe/servers.ts';
import type { Tracer } from '../../observe/tracer.ts';
import type { Flow } from '../../sources/http/flow-route.ts';
import { createPool } from '../../store/pool.ts';
import { type RegistryFeed, startRegistryFeed } from '../../store/registry-feed.ts';
import { soon } from '../process/goodbye.ts';
import { startRoleTracing } from '../process/role-tracing.ts';
import { requireDatabaseUrl, requireNatsUrl } from '../servers/addresses.ts';
import { createDatabaseAnswers, natsAnswers } from '../servers/answers.ts';
import { closeConnection } from '../servers/close-connection.ts';
import { natsDial } from '../servers/dial-nats.ts';
import { startDurabilityFeed } from '../servers/durability-feed.ts';
import { startNatsDialer } from '../servers/nats-dialer.ts';
import { answerByTenant, type CountsByTenant, type RoleQuestion } from '../status/role-question.ts';
import { type Backbone, type BackboneOptions, startBackbone } from './backbone.ts';
import { createDoorIntakes } from './door-intakes.ts';
import { describeFlow } from './flow.ts';

export interface DoorOptions extends Omit<BackboneOptions, 'nc'> {
  /** Keep the registry's devices in memory, for the check of tokens. */
  readonly withDevices: boolean;
  /** Refuse wrong tokens before a message is taken. */
  readonly syncAuth: boolean;
}

/** What the HTTP and the MQTT door stand on: NATS, the registry and one intake. */
export interface Door {
  /** Answers `unavailable` as long as NATS has not been reached. */
  readonly intake: Intake;
  readonly registry: RegistryFeed;
  readonly pool: pg.Pool;
  /** The connection, once there was one. */
  nats(): NatsConnection | undefined;
  /** `created` of TELEMETRY as last seen; undefined while it is not known. */
  streamCreated(): string | undefined;
  /** Resolves once NATS was reached for the first time. */
  readonly connected: Promise<NatsConnection>;
  /** Whether NATS answers now; PostgreSQL is not needed to accept. */
  isReady(): Promise<boolean>;
  /** What an accepted message withstands, in words; undefined while that is not known. */
  durability(): string | undefined;
  /** Absent: nothing is traced. */
  readonly tracer: Tracer | undefined;
  /** Whether what is accepted is settled, as the canaries tell. */
  flow(): Flow;
  /** Resolves once NATS was tried for the first time and, where it answered, the streams are there. */
  readonly tried: Promise<void>;
  /** After the source has drained: ends what is under way, then the connections. */
  drain(): Promise<void>;
}

const registryPollMs = 400;
const poolSize = 2;

/**
 * Starts without waiting for NATS or PostgreSQL, and goes on when they go away and come back.
 *
 * @throws Error with one sentence when the configuration names no NATS or no database
 */
export function startDoor(options: DoorOptions): Door {
  const { config, role, log, now } = options;
  const url = requireNatsUrl(config);
  const databaseUrl = requireDatabaseUrl(config);
  const name = `tributary ${role}`;
  const tracing = startRoleTracing(options);
  const { tracer } = tracing;
  const pool = createPool({ databaseUrl, max: poolSize, name, log });
  const registry = startRegistryFeed({
    pool,
    pollMs: registryPollMs,
    devices: options.withDevices,
    log,
    clock: now,
  });
  const dialer = startNatsDialer({
    connect: natsDial({ config, url, role, log }),
    log,
    random: options.random,
  });
  let backbone: Backbone | undefined;
  const durability = startDurabilityFeed(dialer.current, config.natsMonitorUrl);
  const isReady = async () => backbone !== undefined && (await answers(backbone));
  registerServerMetrics(options.metrics, {
    natsAnswers: isReady,
    databaseAnswers: createDatabaseAnswers(pool),
    durabilityClass: durability.currentClass,
  });
  const intakeMetrics = createIntakeMetrics(options.metrics);
  const byTenant = intakeByTenant(intakeMetrics);
  const status = (question: RoleQuestion) => ({
    ...options.status?.(question),
    intake: intakeMetrics.totals(),
    ...answerByTenant(question, byTenant),
  });
  const intakeFor = createDoorIntakes(options, registry, { metrics: intakeMetrics, tracer });
  let intake = intakeFor.withoutNats;
  const prepared = dialer.connected.then(async (nc) => {
    backbone = startBackbone({ ...options, nc, status });
    intake = intakeFor.with(backbone);
    await backbone.prepared;
  });
  return {
    intake: { accept: (message) => intake.accept(message) },
    registry,
    pool,
    tracer,
    nats: dialer.current,
    streamCreated: () => backbone?.backlog.streamCreated(),
    durability: durability.current,
    flow: () => flowOf(config, backbone, durability.current()),
    connected: dialer.connected,
    isReady,
    tried: dialer.tried.then(() => (dialer.current() === undefined ? undefined : prepared)),
    drain: async () => {
      dialer.stop();
      durability.drain();
      await Promise.all([backbone?.drain(), soon(registry.drain())]);
      const nc = dialer.current();
      if (nc !== undefined) await closeConnection(nc);
      await soon(pool.end());
      await tracing.drain();
    },
  };
}

function intakeByTenant({ tenants }: IntakeCounts): CountsByTenant {
  return {
    kind: 'in',
    of: (tenantId) => {
      const intake = tenants.find(tenantId);
      return intake === undefined ? undefined : { intake };
    },
    totals: () =>
      tenants
        .entries()
        .map(([tenantId, intake]) => [
          tenantId,
          Object.values(intake).reduce((sum, { accepted = 0 }) => sum + accepted, 0),
        ]),
  };
}

function flowOf(
  { canaryIntervalMs }: Config,
  backbone: Backbone | undefined,
  durability: string | undefined,
): Flow {
  return describeFlow({
    disconnectedForMs: backbone?.publisher.disconnectedForMs,
    canary: backbone?.canary()?.current(),
    canaryIntervalMs,
    fullAgoMs: backbone?.fullAgoMs(),
    backlog: backbone?.backlog.current(),
    durability,
    audit: backbone?.audit.current(),
  });
}

async function answers({ nc, publisher }: Backbone): Promise<boolean> {
  return publisher.disconnectedForMs === 0 && (await natsAnswers(nc));
}
