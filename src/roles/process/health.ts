import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import {
  createHealthz,
  createMetricsRoute,
  createReadyz,
  type HealthOptions,
} from '../../sources/http/health-routes.ts';
import { only } from '../../sources/http/methods.ts';

export interface HealthServerOptions {
  readonly bind: string;
  /** 0: none is wanted. */
  readonly port: number;
  /** Why the role cannot do its work now; undefined when it can. */
  readonly whyNotReady: () => Promise<string | undefined>;
  readonly durability: HealthOptions['durability'];
  readonly metrics: Registry;
  readonly log: Logger;
}

export interface HealthServer {
  /** From now on /readyz says `draining`. */
  draining(): void;
  stop(): Promise<void>;
}

/**
 * `/healthz`, `/readyz` and `/metrics` of a role that serves no HTTP otherwise.
 *
 * @throws Error with one sentence for a port that is taken
 */
export function startHealthServer(options: HealthServerOptions): HealthServer {
  const { bind, port, metrics, log } = options;
  if (port === 0) return { draining: () => undefined, stop: () => Promise.resolve() };
  let draining = false;
  const text = async () => ({ text: await metrics.metrics(), contentType: metrics.contentType });
  const server = listen(bind, port, {
    '/healthz': only('GET', createHealthz(options.durability)),
    '/readyz': only(
      'GET',
      createReadyz(options.whyNotReady, () => draining),
    ),
    '/metrics': only('GET', createMetricsRoute(text)),
  });
  log.info({ event: 'health_listening', healthPort: port, bind }, `health is told on port ${port}`);
  return {
    draining: () => {
      draining = true;
    },
    stop: () => server.stop(true),
  };
}

type Handler = (request: Request) => Response | Promise<Response>;

function listen(hostname: string, port: number, routes: Readonly<Record<string, Handler>>) {
  try {
    const notFound = () => new Response('not found\n', { status: 404 });
    return Bun.serve({ hostname, port, development: false, routes, fetch: notFound });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    const message = `Port ${port} on ${hostname} is taken: stop what listens there, or set TRIBUTARY_HEALTH_PORT.`;
    throw new Error(message, { cause: error });
  }
}
