import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Config } from '../../config/settings.ts';
import type { InstallationService, OverviewFeed, SystemState } from '../../console/installation-service.ts';
import type { TenantId } from '../../model/identifiers.ts';
import { requestMany } from '../../stream/request-many.ts';
import { rateLimitsSubject, streamName } from '../../stream/subjects.ts';
import { version } from '../process/role-status.ts';
import { createDatabaseAnswers, natsAnswers } from '../servers/answers.ts';
import { gatherStatus } from '../status/gather.ts';
import { askRoles, type RoleAnswer, sampleStreams } from '../status/probe-nats.ts';
import { statusAsJson, streamAsJson } from '../status/status-as-json.ts';
import { startFlowHistory } from './overview/flow-history.ts';
import type { OverviewSources } from './overview/look.ts';
import { openOverview } from './overview/open-overview.ts';
import { createSharedFeed } from './overview/shared-feed.ts';

export interface InstallationOptions extends Omit<OverviewSources, 'databaseAnswers' | 'streamMaxBytes'> {
  readonly config: Config;
}

const askWorkers = { timeoutMs: 1_000, stallMs: 300 } as const;
const sampleMs = 500;
const lingerMs = 10_000;

/** What the API tells of the whole installation. */
export function createInstallationService(
  options: InstallationOptions,
): InstallationService & { drain(): void } {
  const { config, pool, now } = options;
  const { streamMaxBytes } = config;
  const sources = { ...options, streamMaxBytes, databaseAnswers: createDatabaseAnswers(pool) };
  const history = startFlowHistory(options);
  const feeds = new Map<TenantId | undefined, OverviewFeed & { close(): void }>();
  const connected = (): NatsConnection => {
    const nc = options.nats();
    if (nc === undefined || nc.isClosed()) throw new Error('NATS is away');
    return nc;
  };
  return {
    status: async () =>
      statusAsJson(
        await gatherStatus(
          {
            withNats: async (work) => work(connected()),
            withDatabase: (work) => work(pool),
            natsMonitorUrl: config.natsMonitorUrl,
          },
          sampleMs,
          now,
        ),
      ),
    system: () => systemOf(options, connected),
    overview: (tenantId) =>
      feeds.getOrInsertComputed(tenantId, () =>
        createSharedFeed({
          lingerMs,
          open: (tell) => openOverview(sources, tenantId, tell),
          past: () => history.of(tenantId),
        }),
      ),
    rateLimits: async () => {
      const answers = await requestMany(connected(), rateLimitsSubject, new Uint8Array(), askWorkers);
      return answers.flatMap((bytes) => parsed(bytes) ?? []);
    },
    defaultLimits: {
      ratePerSecond: config.tenantRate,
      burst: config.tenantBurst,
      deviceRatePerSecond: config.deviceRate,
      deviceBurst: config.deviceBurst,
    },
    drain: () => {
      history.stop();
      for (const feed of feeds.values()) feed.close();
    },
  };
}

async function systemOf(
  { pool, durability, config }: InstallationOptions,
  connected: () => NatsConnection,
): Promise<SystemState> {
  const ask = async <T>(work: (nc: NatsConnection) => Promise<T>): Promise<T | null> => {
    try {
      const nc = connected();
      return (await natsAnswers(nc)) ? await work(nc) : null;
    } catch {
      return null;
    }
  };
  const [nats, roles, sample, postgres] = await Promise.all([
    ask(async ({ info }) => ({ version: info?.version ?? 'unknown' })),
    ask(askRoles),
    ask(sampleStreams),
    versionOfPostgres(pool).catch(() => null),
  ]);
  return {
    version,
    nats,
    postgres,
    durability: durability() ?? null,
    roles: roles?.map(roleAsJson) ?? null,
    streams:
      sample?.streams.map((stream) => ({
        ...streamAsJson(stream),
        ...(stream.name === streamName ? { accepts_up_to_bytes: config.streamMaxBytes } : {}),
      })) ?? null,
  };
}

async function versionOfPostgres(pool: pg.Pool): Promise<{ version: string }> {
  const { rows } = await pool.query<{ version: string }>(
    `select current_setting('server_version') as version`,
  );
  return { version: rows[0]?.version ?? 'unknown' };
}

function roleAsJson({ role, id, version: of, pid, host, uptimeMs, rssBytes, cpuMs }: RoleAnswer) {
  return {
    role,
    id,
    version: of,
    pid,
    host,
    uptime_ms: uptimeMs,
    rss_bytes: typeof rssBytes === 'number' ? rssBytes : null,
    cpu_ms: typeof cpuMs === 'number' ? cpuMs : null,
  };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
