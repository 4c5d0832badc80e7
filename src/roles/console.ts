import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Config } from '../config/settings.ts';
import { type Console, consoleDefaults, createConsole } from '../console/console.ts';
import type { ConsoleServices } from '../console/context.ts';
import type { InstallationService } from '../console/installation-service.ts';
import { createPages } from '../console/pages/create-pages.ts';
import { createReadingsFeed } from '../console/readings-feed.ts';
import { withDeadline } from '../lib/deadline.ts';
import { whenAborted } from '../lib/when-aborted.ts';
import { createConsoleMetrics } from '../observe/console.ts';
import { createLog } from '../observe/create-log.ts';
import { createRoleRegistry } from '../observe/process.ts';
import { registerServerMetrics } from '../observe/servers.ts';
import { drainServer } from '../sources/http/drain-server.ts';
import { createHealthz, createMetricsRoute, createReadyz } from '../sources/http/health-routes.ts';
import { only } from '../sources/http/methods.ts';
import { createPool } from '../store/pool.ts';
import { createInstallationService } from './console/installation-service.ts';
import { createQuarantineService } from './console/quarantine-service.ts';
import { createRouteService } from './console/route-service.ts';
import { soon } from './process/goodbye.ts';
import type { RoleDeps, RoleInstruments } from './process/role-deps.ts';
import { createRoleId, serveRoleStatus, version } from './process/role-status.ts';
import { requireDatabaseUrl, requireNatsUrl } from './servers/addresses.ts';
import { createAnswers, createDatabaseAnswers, natsAnswers } from './servers/answers.ts';
import { closeConnection } from './servers/close-connection.ts';
import { natsDial } from './servers/dial-nats.ts';
import { type DurabilityFeed, startDurabilityFeed } from './servers/durability-feed.ts';
import { type NatsDialer, startNatsDialer } from './servers/nats-dialer.ts';
import { waitForSchema } from './servers/wait-for-schema.ts';

export interface RunningConsole {
  readonly port: number;
  /** Rejects with the error that no retry mends: the process is to end. */
  readonly failed: Promise<never>;
  /** Ends the live streams, answers what is under way, then closes every connection. */
  drain(): Promise<void>;
}

const roleDefaults = {
  connections: 10,
  /** How long the first attempts at both servers may hold up `ready`. */
  firstTryMs: 2_000,
  drainTimeoutMs: 5_000,
  /** Of a connection on which nothing is sent: longer than the beat of live streams. */
  idleTimeoutSeconds: 60,
  /** Of an import. */
  maxBodyBytes: 64 * 1024 * 1024,
} as const;

/**
 * The API and the console's pages. Serves from the start; what needs a server that is away is answered 503.
 *
 * @throws Error with one sentence for a port that is taken and for addresses that are missing
 */
export async function startConsole(config: Config, deps: RoleDeps = {}): Promise<RunningConsole> {
  const { now = () => performance.now(), wallClock = Date.now, random = Math.random } = deps;
  const { stop = new AbortController().signal, log = createLog({ level: config.logLevel }) } = deps;
  const url = requireNatsUrl(config);
  const databaseUrl = requireDatabaseUrl(config);
  const id = createRoleId('console', random);
  const metrics = createRoleRegistry('console', version);
  const pool = createPool({ databaseUrl, max: roleDefaults.connections, name: 'tributary console', log });
  const dialer = startNatsDialer({ connect: natsDial({ config, url, role: 'console', log }), log, random });
  const parts = { config, id, pool, dialer, metrics, log, now, wallClock, random };
  const running = serveOrClose(parts);
  const tried = Promise.all([dialer.tried, running.schema.catch(() => undefined)]);
  await withDeadline(Promise.race([tried, whenAborted(stop)]), roleDefaults.firstTryMs, () => undefined);
  const ready = { event: 'ready', role: 'console', id, port: running.port, bind: config.bind };
  if (!stop.aborted) log.info(ready, `console ready on port ${running.port}`);
  return running;
}

interface Parts extends RoleInstruments {
  readonly config: Config;
  readonly id: string;
  readonly pool: pg.Pool;
  readonly dialer: NatsDialer;
}

interface Served extends RunningConsole {
  /** Resolves when the database has this program's schema. */
  readonly schema: Promise<void>;
}

/** What would keep the process from ending does not outlive a port that is taken. */
function serveOrClose(parts: Parts): Served {
  const { config, pool, dialer } = parts;
  const durability = startDurabilityFeed(dialer.current, config.natsMonitorUrl);
  try {
    return serve(parts, durability);
  } catch (error) {
    durability.drain();
    dialer.stop();
    void pool.end();
    throw portError(error, config);
  }
}

function serve(parts: Parts, durability: DurabilityFeed): Served {
  const { config, id, pool, dialer, log, now, random } = parts;
  const stopping = new AbortController();
  const installation = createInstallationService({
    ...parts,
    nats: dialer.current,
    durability: durability.currentClass,
  });
  const services = servicesOf(parts, installation, stopping.signal);
  const console = createConsole({
    ...consoleDefaults,
    services,
    version,
    apiRate: { ratePerSecond: config.apiRate, burst: config.apiBurst },
    trustProxy: config.trustProxy,
    pages: createPages(),
  });
  const server = listen(parts, console, stopping.signal, durability);
  const schema = waitForSchema({ pool, log, random, isStopped: () => stopping.signal.aborted });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  schema.catch(failed.reject);
  const status = dialer.connected.then((nc) => serveRoleStatus({ nc, role: 'console', id, now }));
  return {
    port: server.port ?? config.consolePort,
    failed: failed.promise,
    schema,
    drain: async () => {
      stopping.abort();
      installation.drain();
      dialer.stop();
      durability.drain();
      await Promise.all([
        drainServer(server, roleDefaults.drainTimeoutMs),
        services.quarantine.replays.drain(),
      ]);
      const nc = dialer.current();
      if (nc !== undefined) {
        await soon(status.then((served) => served.drain()));
        await closeConnection(nc);
      }
      await soon(pool.end());
      log.info({ event: 'drained', role: 'console', id }, 'console drained');
    },
  };
}

function servicesOf(
  { pool, dialer, log, now, wallClock, random, config, metrics }: Parts,
  installation: InstallationService,
  stopping: AbortSignal,
): ConsoleServices {
  return {
    pool,
    nats: dialer.current,
    log,
    now,
    wallClock,
    randomBytes,
    stopping,
    metrics: createConsoleMetrics(metrics),
    installation,
    readings: createReadingsFeed(dialer.current),
    quarantine: createQuarantineService({
      config,
      pool,
      publish: (subject, data) => dialer.current()?.publish(subject, data),
      log,
      random,
    }),
    routes: createRouteService(config, dialer.current, wallClock),
    doors: {
      httpPort: config.httpPort,
      mqttPort: config.mqttPort,
      publicHttpUrl: config.publicHttpUrl,
      publicMqttUrl: config.publicMqttUrl,
    },
  };
}

function listen(
  { config, pool, dialer, metrics, log }: Parts,
  console: Console,
  stopping: AbortSignal,
  durability: DurabilityFeed,
): Bun.Server<undefined> {
  const databaseAnswers = createDatabaseAnswers(pool);
  const whyNotReady = createAnswers({ nats: dialer.current, databaseAnswers });
  registerServerMetrics(metrics, {
    natsAnswers: () => natsAnswers(dialer.current()),
    databaseAnswers,
    durabilityClass: durability.currentClass,
  });
  const text = async () => ({ text: await metrics.metrics(), contentType: metrics.contentType });
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: config.bind,
    port: config.consolePort,
    // Left out, two consoles would share the port, and nobody would be told.
    reusePort: false,
    development: false,
    error: (error) => {
      log.error({ event: 'http_handler_failed', err: error });
      return new Response('internal error\n', { status: 500 });
    },
    maxRequestBodySize: roleDefaults.maxBodyBytes,
    idleTimeout: roleDefaults.idleTimeoutSeconds,
    routes: {
      '/healthz': only('GET', createHealthz(durability.current)),
      '/readyz': only(
        'GET',
        createReadyz(whyNotReady, () => stopping.aborted),
      ),
      '/metrics': only('GET', createMetricsRoute(text)),
    },
    fetch: (request) => console.fetch(request, server.requestIP(request)?.address ?? 'unknown'),
  });
  return server;
}

function portError(error: unknown, { bind, consolePort }: Config): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  const message = `Port ${consolePort} on ${bind} is taken: stop what listens there, or set TRIBUTARY_CONSOLE_PORT.`;
  return new Error(message, { cause: error });
}
