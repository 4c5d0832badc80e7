import type { Config } from '../config/settings.ts';
import { withDeadline } from '../lib/deadline.ts';
import { whenAborted } from '../lib/when-aborted.ts';
import { createLog } from '../observe/create-log.ts';
import { createHttpMetrics } from '../observe/http.ts';
import { createRoleRegistry } from '../observe/process.ts';
import { type HttpSource, startHttpSource } from '../sources/http/http-source.ts';
import { createOperatorAuth } from '../sources/http/operator-auth.ts';
import { findOperatorKey } from '../store/registry/find-operator-key.ts';
import { requestMany } from '../stream/request-many.ts';
import { rateLimitsSubject } from '../stream/subjects.ts';
import { type Door, startDoor } from './doors/door.ts';
import { type RoleReceipts, startRoleReceipts } from './doors/receipts.ts';
import type { RoleDeps, RoleInstruments } from './process/role-deps.ts';
import { createRoleId, version } from './process/role-status.ts';

export interface RunningGateway {
  readonly port: number;
  /** Answers what is under way, then closes every connection. */
  drain(): Promise<void>;
}

/** How long the first attempt at NATS may hold up `ready`. */
const firstTryMs = 2_000;
/** Beyond the publish timeout, for everything else that an answer needs. */
const answerMarginMs = 3_000;
const operatorLookupMs = 3_000;
const askWorkers = { timeoutMs: 1_000, stallMs: 300 } as const;

/**
 * The HTTP door. It serves from the start, whether NATS and PostgreSQL are there or not: without NATS it answers 503,
 * without PostgreSQL it accepts.
 *
 * @throws Error with one sentence for a port that is taken and for addresses that are missing
 */
export async function startGateway(config: Config, deps: RoleDeps = {}): Promise<RunningGateway> {
  const { now = () => performance.now(), wallClock = Date.now, random = Math.random } = deps;
  const { stop = new AbortController().signal, log = createLog({ level: config.logLevel }) } = deps;
  const id = createRoleId('gateway', random);
  const metrics = createRoleRegistry('gateway', version);
  const { syncAuth } = config;
  const status = (): Record<string, unknown> => {
    const { flowing, doorToRowMs } = door.flow();
    return { flowing, doorToRowMs: doorToRowMs === undefined ? undefined : Math.round(doorToRowMs) };
  };
  const door: Door = startDoor({
    config,
    role: 'gateway',
    id,
    withDevices: syncAuth,
    syncAuth,
    log,
    metrics,
    now,
    wallClock,
    random,
    status,
  });
  let source: HttpSource;
  let receipts: RoleReceipts | undefined;
  try {
    receipts = startRoleReceipts({ config, door, id, log, now, wallClock });
    source = listen(config, door, receipts, { log, metrics, now, wallClock });
  } catch (error) {
    await Promise.all([door.drain(), receipts?.drain()]);
    throw portError(error, config);
  }
  await withDeadline(Promise.race([door.tried, whenAborted(stop)]), firstTryMs, () => undefined);
  const { port } = source;
  const ready = { event: 'ready', role: 'gateway', id, port, bind: config.bind };
  if (!stop.aborted) log.info(ready, `gateway ready on port ${port}`);
  return {
    port,
    drain: async () => {
      await source.drain();
      await Promise.all([door.drain(), receipts?.drain()]);
      log.info({ event: 'drained', role: 'gateway', id }, 'gateway drained');
    },
  };
}

function listen(
  config: Config,
  door: Door,
  receipts: RoleReceipts,
  { log, metrics, now, wallClock }: Omit<RoleInstruments, 'random'>,
): HttpSource {
  return startHttpSource({
    intake: door.intake,
    tracing: door.tracer,
    receipts: receipts.options,
    bind: config.bind,
    port: config.httpPort,
    reusePort: config.gateways > 1,
    maxBodyBytes: config.maxBodyBytes,
    maxBatchBytes: config.maxBatchBytes,
    // The largest body must find room when it is alone.
    maxReceivingBytes: Math.max(config.maxInFlightBytes, config.maxBatchBytes, config.maxBodyBytes),
    receiveTimeoutMs: config.receiveTimeoutMs,
    answerTimeoutMs: config.publishTimeoutMs + answerMarginMs,
    httpMetrics: createHttpMetrics(metrics),
    log,
    now,
    wallClock,
    isReady: door.isReady,
    flow: door.flow,
    durability: door.durability,
    metrics: async () => ({ text: await metrics.metrics(), contentType: metrics.contentType }),
    operatorAuth: createOperatorAuth({ find: (sha256) => findOperator(door, sha256), now }),
    askWorkers: () => askEveryWorker(door),
  });
}

function findOperator({ pool }: Door, sha256: Uint8Array) {
  return withDeadline(findOperatorKey(pool, sha256), operatorLookupMs, () => {
    throw new Error(`the database did not answer within ${operatorLookupMs} ms`);
  });
}

async function askEveryWorker(door: Door): Promise<Uint8Array[]> {
  const nc = door.nats();
  // Asked while it is away, nobody would answer, which reads as if there were no workers.
  if (nc === undefined || !(await door.isReady())) throw new Error('NATS is away');
  return requestMany(nc, rateLimitsSubject, new Uint8Array(), askWorkers);
}

function portError(error: unknown, { bind, httpPort }: Config): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  const message = `Port ${httpPort} on ${bind} is taken: stop what listens there, or set TRIBUTARY_HTTP_PORT.`;
  return new Error(message, { cause: error });
}
