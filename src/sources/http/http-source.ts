import type { Logger } from 'pino';
import type { Intake } from '../../intake/intake.ts';
import { createSharedDeadline } from '../../lib/shared-deadline.ts';
import type { HttpMetrics, HttpRoute } from '../../observe/http.ts';
import type { Tracer } from '../../observe/tracer.ts';
import { batchPath, createBatchRoute } from './batch-route.ts';
import { drainServer } from './drain-server.ts';
import { createFlowRoute, type Flow } from './flow-route.ts';
import { createHealthz, createMetricsRoute, createReadyz, type HealthOptions } from './health-routes.ts';
import { only } from './methods.ts';
import { problem } from './problem.ts';
import { createRateLimitsRoute, type RateLimitsOptions, rateLimitsPath } from './rate-limits-route.ts';
import { type ReceiptsOptions, receiptsPath } from './receipts.ts';
import { createReceiptsRoute } from './receipts-route.ts';
import { createReceiveBudget } from './receive-budget.ts';
import { createSingleRoute, singlePath } from './single-route.ts';

export interface HttpSourceOptions extends HealthOptions, RateLimitsOptions {
  readonly intake: Intake;
  readonly receipts: ReceiptsOptions;
  /** What `GET /flow` shows. */
  readonly flow: () => Flow;
  /** Address and port to listen on; port 0 takes a free one. */
  readonly bind: string;
  readonly port: number;
  /** Several gateways share the port; the kernel spreads connections over them. */
  readonly reusePort: boolean;
  /** Of a single body, and of one item of a batch. */
  readonly maxBodyBytes: number;
  readonly maxBatchBytes: number;
  /** Of all bodies that are on their way in at once, small ones (16 KiB) apart. */
  readonly maxReceivingBytes: number;
  readonly receiveTimeoutMs: number;
  /** How long an answer may take once the body is there: the publish timeout and a little more. */
  readonly answerTimeoutMs: number;
  /** How long `drain` waits for what is under way; 10 s. */
  readonly drainTimeoutMs?: number;
  readonly tracing?: Pick<Tracer, 'begin'> | undefined;
  readonly httpMetrics: HttpMetrics;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export interface HttpSource {
  readonly port: number;
  /** Takes no new connections, answers what is under way, then closes what is left. */
  drain(): Promise<void>;
}

const defaultDrainTimeoutMs = 10_000;
const longestIdleTimeoutSeconds = 255;

/** Serves the HTTP door. @throws when the address cannot be listened on (`code` is `EADDRINUSE` for a taken port) */
export function startHttpSource(options: HttpSourceOptions): HttpSource {
  let draining = false;
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: options.bind,
    port: options.port,
    reusePort: options.reusePort,
    // Without these two a bug would show a page with our source.
    development: false,
    error: (error) => {
      options.log.error({ event: 'http_handler_failed', err: error });
      return problem('internal');
    },
    // Ours are the limits that answer; this one would answer without a body of its own.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: idleTimeoutSeconds(options),
    routes: createRoutes(
      options,
      () => draining,
      (request, seconds) => server.timeout(request, seconds),
    ),
    fetch: watched(options, 'other', () => problem('not_found')),
  });
  return {
    port: server.port ?? options.port,
    drain: async () => {
      draining = true;
      // What is stored is answered as accepted; the rest of the wait is not ours to keep.
      options.receipts.waits()?.drain();
      await drainServer(server, options.drainTimeoutMs ?? defaultDrainTimeoutMs);
    },
  };
}

function createRoutes(options: HttpSourceOptions, isDraining: () => boolean, extend: ExtendTimeout) {
  const { intake, maxBodyBytes, maxBatchBytes, receiveTimeoutMs, httpMetrics } = options;
  const { receipts, tracing } = options;
  const extendBy: ExtendTimeout = (request, seconds) =>
    extend(request, idleTimeoutSeconds(options) + seconds);
  const budget = createReceiveBudget(options.maxReceivingBytes);
  const deadline = createSharedDeadline(receiveTimeoutMs, options.now);
  const single = createSingleRoute(intake, {
    maxBytes: maxBodyBytes,
    deadline,
    budget,
    receipts,
    tracing,
    extend: extendBy,
  });
  const batch = createBatchRoute(intake, {
    maxBytes: maxBatchBytes,
    maxItemBytes: maxBodyBytes,
    deadline,
    budget,
    onItems: httpMetrics.batchItems,
    receipts,
    tracing,
    extend: extendBy,
  });
  const whyNotReady = async () => ((await options.isReady()) ? undefined : 'NATS is away');
  return {
    [singlePath]: watched(options, 'single', only('POST', single)),
    [batchPath]: watched(options, 'batch', only('POST', batch)),
    [receiptsPath]: watched(
      options,
      'receipt',
      only('GET', createReceiptsRoute(receipts, options.wallClock)),
    ),
    [rateLimitsPath]: watched(options, 'rate_limits', only('GET', createRateLimitsRoute(options))),
    '/healthz': only('GET', createHealthz(options.durability)),
    '/readyz': only('GET', createReadyz(whyNotReady, isDraining)),
    '/flow': only('GET', createFlowRoute(options.flow)),
    '/metrics': only('GET', createMetricsRoute(options.metrics)),
  };
}

/** Lets a request take so many seconds more than others. */
export type ExtendTimeout = (request: Request, seconds: number) => void;

/** Counts and times what a route answers. */
function watched<R extends Request>(
  { httpMetrics, now }: HttpSourceOptions,
  route: HttpRoute,
  handle: (request: R) => Response | Promise<Response>,
): (request: R) => Promise<Response> {
  return async (request) => {
    const startedAtMs = now();
    httpMetrics.inFlight(1);
    try {
      const response = await handle(request);
      httpMetrics.answered(route, response.status, (now() - startedAtMs) / 1_000);
      return response;
    } finally {
      httpMetrics.inFlight(-1);
    }
  };
}

/**
 * Bun closes a connection without an answer when receive and answer together take longer than this, in steps of
 * 4 s. Ours, the 408, comes first.
 */
function idleTimeoutSeconds({ receiveTimeoutMs, answerTimeoutMs }: HttpSourceOptions): number {
  const marginSeconds = 4;
  const seconds = Math.ceil((receiveTimeoutMs + answerTimeoutMs) / 1_000) + marginSeconds;
  return Math.min(longestIdleTimeoutSeconds, seconds);
}
