import { Hono } from 'hono';
import { createStreamPlaces } from './access/stream-places.ts';
import { createThrottle } from './access/throttle.ts';
import type { ConsoleServices } from './context.ts';
import { type Call, createDispatch } from './dispatch.ts';
import { addDocsPage } from './docs-page/docs-page.ts';
import { openApiDocument } from './openapi.ts';
import type { Operation } from './operation.ts';
import { operations as allOperations } from './operations/operations.ts';
import { Problem, problemResponse } from './problem.ts';
import { problemOf } from './problem-of.ts';

export const apiPrefix = '/api/v1';

export interface ConsoleOptions {
  readonly services: ConsoleServices;
  readonly version: string;
  /** Requests per second and burst of one key. */
  readonly apiRate: { readonly ratePerSecond: number; readonly burst: number };
  /** Of one address: attempts to sign in, and requests without a valid key. */
  readonly signInRate: { readonly ratePerSecond: number; readonly burst: number };
  /** A proxy before us says in X-Forwarded-For and -Proto where a request came from. */
  readonly trustProxy: boolean;
  /** Serves what is not the API; undefined for a path that it does not know. */
  readonly pages?: (request: Request) => Response | undefined | Promise<Response | undefined>;
  readonly operations?: readonly Operation[];
}

export const consoleDefaults = {
  apiRate: { ratePerSecond: 100, burst: 400 },
  signInRate: { ratePerSecond: 1, burst: 20 },
  trustProxy: false,
} as const;

export interface Console {
  /** Never rejects. `address` is the peer's. */
  fetch(request: Request, address: string): Promise<Response>;
}

interface Bindings {
  readonly Bindings: { readonly address: string; operation: string };
}

/** The operator and tenant API, and the pages beside it. */
export function createConsole(options: ConsoleOptions): Console {
  const { services, pages } = options;
  const operations = options.operations ?? allOperations;
  const app = new Hono<Bindings>();
  addOperations(app, operations, options);
  const document = JSON.stringify(openApiDocument(operations, options.version, services.doors.publicHttpUrl));
  app.get(`${apiPrefix}/openapi.json`, () => new Response(document, { headers: jsonType }));
  addDocsPage(app, apiPrefix);
  refuseOtherMethods(app, operations);
  app.notFound(async ({ req, env }) => {
    const isPage = !req.path.startsWith('/api/') && (req.method === 'GET' || req.method === 'HEAD');
    const page = isPage ? await pages?.(req.raw) : undefined;
    if (page !== undefined) env.operation = 'page';
    return page ?? problemResponse(new Problem('not_found'));
  });
  app.onError((error) => {
    const problem = problemOf(error);
    if (problem.code === 'internal') {
      services.log.error({ event: 'console_handler_failed', err: error }, 'an operation failed');
    }
    return problemResponse(problem);
  });
  return {
    fetch: async (request, address) => {
      const startedAtMs = services.now();
      const call = { address, operation: 'other' };
      const response = await app.fetch(request, call);
      const seconds = (services.now() - startedAtMs) / 1_000;
      services.metrics.answered(call.operation, response.status, seconds);
      // Who answered says what it is: a path may be spelt in many ways, as /%61pi/.
      return call.operation === 'page' ? response : secured(response);
    },
  };
}

const jsonType = { 'Content-Type': 'application/json' };

function addOperations(app: Hono<Bindings>, operations: readonly Operation[], options: ConsoleOptions): void {
  const { services, apiRate, signInRate, trustProxy } = options;
  const strangers = createThrottle({ ...signInRate, now: services.now });
  const callers = createThrottle({ ...apiRate, now: services.now });
  const places = createStreamPlaces();
  for (const operation of operations) {
    const dispatch = createDispatch(operation, { services, strangers, callers, places });
    app.on(operation.method, routeOf(operation.path), ({ req, env }) => {
      env.operation = operation.id;
      const { searchParams, protocol } = new URL(req.url);
      const from = trustProxy ? forwarded(req.raw.headers) : {};
      const call: Call = {
        request: req.raw,
        params: req.param(),
        query: searchParams,
        address: from.address ?? env.address,
        isSecure: (from.protocol ?? protocol.slice(0, -1)) === 'https',
      };
      return dispatch(call);
    });
  }
}

/** A path that is there, with a method that is not. */
function refuseOtherMethods(app: Hono<Bindings>, operations: readonly Operation[]): void {
  const methods = Map.groupBy(operations, ({ path }) => path);
  for (const [path, those] of methods) {
    const allowed = new Set<string>(those.map(({ method }) => method));
    if (allowed.has('GET')) allowed.add('HEAD');
    const headers = { Allow: [...allowed].join(', ') };
    app.all(routeOf(path), () => problemResponse(new Problem('method_not_allowed', undefined, { headers })));
  }
}

/** `/tenants/{tenant_id}` → `/api/v1/tenants/:tenant_id` */
function routeOf(path: string): string {
  return apiPrefix + path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** What the nearest proxy added; what stands before it the client may have made up. */
function forwarded(headers: Headers): { address?: string; protocol?: string } {
  const last = (name: string) => headers.get(name)?.split(',').at(-1)?.trim();
  const [address, protocol] = [last('X-Forwarded-For'), last('X-Forwarded-Proto')];
  return {
    ...(address === undefined || address === '' ? {} : { address }),
    ...(protocol === undefined || protocol === '' ? {} : { protocol }),
  };
}

/** Answers of the API are for who asked only, and are never taken for a page. */
function secured(response: Response): Response {
  const { headers } = response;
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
  headers.set('X-Content-Type-Options', 'nosniff');
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', "default-src 'none'");
  return response;
}
