import { createPages } from '../../src/console/pages/create-pages.ts';

export interface FakeApi {
  readonly url: string;
  /** As a worker's tap would tell it. */
  publish(event: string, data: unknown): void;
  /** Answers this path (below /api/v1) with a problem from now on. */
  fail(path: string, status: number, problem: { readonly title: string; readonly detail: string }): void;
  /** Answers it again as before. */
  mend(path: string): void;
  /** Path and method of each change that was asked for. */
  readonly changes: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

interface FakeDevice {
  readonly device_id: string;
  readonly site_id: string;
}

type Answer = (request: Request, params: Readonly<Record<string, string>>) => Response | Promise<Response>;

const json = (value: unknown, status = 200): Response => Response.json(value, { status });
const items = (rows: readonly unknown[]): Response => json({ items: rows, next: null });

/** The console's pages before an API that answers from memory: for what the pages do, not for what the API does. */
export async function startFakeApi(): Promise<FakeApi> {
  const pages = createPages();
  const devices = new Map<string, FakeDevice>();
  const readings: unknown[] = [];
  const failures = new Map<string, () => Response>();
  const changes: string[] = [];
  const feeds = new Set<(text: string) => void>();
  let isSignedIn = false;

  const answers: Readonly<Record<string, Answer>> = {
    'GET /session': () => (isSignedIn ? json(operatorSession) : problem(401, 'Unauthorized', 'No key.')),
    'POST /session': async (request) => {
      const { key } = (await request.json()) as { key: string };
      if (key !== 'tro_right') return problem(401, 'Unauthorized', 'This key is unknown or revoked.');
      isSignedIn = true;
      return json(operatorSession);
    },
    'DELETE /session': () => {
      isSignedIn = false;
      return new Response(null, { status: 204 });
    },
    'GET /tenants': () => items([]),
    'GET /doors': () =>
      json({ http: 'http://gateway.test:8080', mqtt: { host: 'mqtt.test', port: 1883, tls: false } }),
    'GET /tenants/acme/sites': () => items([]),
    'GET /tenants/acme/devices': (request) => items(found(devices, new URL(request.url).searchParams)),
    'POST /tenants/acme/devices': async (request) => {
      const device = (await request.json()) as FakeDevice;
      devices.set(device.device_id, device);
      return json({ ...deviceRow(device), token: 'tok_shown_once' }, 201);
    },
    'GET /tenants/acme/devices/:device': (_request, { device = '' }) => {
      const one = devices.get(device);
      return one === undefined ? problem(404, 'Not found', 'No such device.') : json(deviceRow(one));
    },
    'GET /tenants/acme/devices/:device/sensors': () => items(sensorsOf(readings)),
    'GET /tenants/acme/devices/:device/series': () => json(seriesOf(readings)),
    'GET /tenants/acme/devices/:device/telemetry': () => items([...readings].reverse()),
    'GET /tenants/acme/devices/:device/gaps': () => json(noGaps),
    'GET /tenants/acme/devices/:device/status-history': () => items([]),
    'GET /tenants/acme/devices/:device/rejected': () => items([]),
    'GET /tenants/acme/live': () => eventStream(feeds),
  };

  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const page = pages(request);
      if (page !== undefined) return page;
      const path = pathname.replace('/api/v1', '');
      if (request.method !== 'GET') changes.push(`${request.method} ${path}`);
      const failure = failures.get(path);
      if (failure !== undefined) return failure();
      for (const [pattern, answer] of Object.entries(answers)) {
        const params = matches(pattern, `${request.method} ${path}`);
        if (params !== undefined) return answer(request, params);
      }
      return problem(404, 'Not found', `The fake knows no ${request.method} ${path}.`);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    publish: (event, data) => {
      if (event === 'reading') readings.push(data);
      for (const send of feeds) send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    fail: (path, status, detail) => {
      failures.set(path, () => problem(status, detail.title, detail.detail));
    },
    mend: (path) => void failures.delete(path),
    changes,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

const operatorSession = { operator: true, tenant_id: null, level: 'admin', csrf: 'c' };
const noGaps = {
  ranges: [],
  late: 0,
  repeated: 0,
  restarts: [],
  received: 0,
  missing: 0,
  last_seq: null,
  truncated: false,
};

function problem(status: number, title: string, detail: string): Response {
  return Response.json(
    { type: 'about:blank', title, status, detail },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
}

function matches(pattern: string, actual: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), actual.split('/')];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(given[index] ?? '');
    else if (part !== given[index]) return undefined;
  }
  return params;
}

function deviceRow({ device_id, site_id }: FakeDevice) {
  return {
    tenant_id: 'acme',
    device_id,
    site_id,
    status: null,
    status_since: null,
    last_seen_at: null,
    created_at: '2026-01-01T00:00:00.000000Z',
    revoked_at: null,
    has_token: true,
    previous_token_until: null,
    rate_per_second: null,
    burst: null,
    max_sensors: null,
  };
}

function found(devices: ReadonlyMap<string, FakeDevice>, query: URLSearchParams) {
  const search = query.get('search') ?? '';
  return [...devices.values()].filter(({ device_id }) => device_id.includes(search)).map(deviceRow);
}

interface FakeReading {
  readonly time: string;
  readonly metrics: Readonly<Record<string, number>>;
}

function sensorsOf(readings: readonly unknown[]) {
  const latest = new Map<string, unknown>();
  for (const { metrics, time } of readings as FakeReading[]) {
    for (const [metric, value] of Object.entries(metrics)) {
      latest.set(metric, { metric, value_type: 'number', unit: '°C', latest: value, latest_time: time });
    }
  }
  return [...latest.values()];
}

function seriesOf(readings: readonly unknown[]) {
  const rows = readings as FakeReading[];
  const values = rows.map(({ metrics }) => metrics.temp_c ?? 0);
  const t = rows.map(({ time }) => Math.floor(Date.parse(time) / 1_000) * 1_000);
  return {
    bucket_ms: 1_000,
    metrics: { temp_c: { t, min: values, avg: values, max: values, count: values.map(() => 1) } },
  };
}

function eventStream(feeds: Set<(text: string) => void>): Response {
  const encoder = new TextEncoder();
  let send: ((text: string) => void) | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      send = (text) => controller.enqueue(encoder.encode(text));
      send(': hello\n\n');
      feeds.add(send);
    },
    cancel() {
      if (send !== undefined) feeds.delete(send);
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
