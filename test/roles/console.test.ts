import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Compile } from 'typebox/compile';
import { ingestOperations } from '../../src/console/ingest-document.ts';
import { batchPath } from '../../src/sources/http/batch-route.ts';
import { rateLimitsPath } from '../../src/sources/http/rate-limits-route.ts';
import { receiptsPath } from '../../src/sources/http/receipts.ts';
import { singlePath } from '../../src/sources/http/single-route.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

let stack: Stack;
let key: string;
beforeAll(async () => {
  stack = await startStack({ roles: { mqtt: 0, console: 1 } });
  key = ((await stack.cliJson('operator-key', 'add', 'alice')) as { key: string }).key;
}, 60_000);
afterAll(() => stack[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${stack.consoleUrl}${path}`, { headers });

test('the console serves the API, its document and its page, health and metrics', async () => {
  expect((await get('/healthz')).status).toBe(200);
  await until(async () => (await get('/readyz')).ok, { what: 'the console is ready' });
  expect((await get('/api/v1/tenants')).status).toBe(401);
  const tenants = await get('/api/v1/tenants', { Authorization: `Bearer ${key}` });
  expect([tenants.status, await tenants.json()]).toEqual([200, { items: [], next: null }]);
  expect(await (await get('/api/v1/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' });
  const metrics = await (await get('/metrics')).text();
  expect(metrics).toContain('tributary_console_requests_total{operation="listTenants",status="200"} 1');
});

test('the page of the API is three files of our own, without inline script or style', async () => {
  const page = await get('/api/docs');
  const html = await page.text();
  expect(page.headers.get('Content-Security-Policy')).toContain("default-src 'none'; script-src 'self'");
  expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?:/);
  const named = [...html.matchAll(/(?:href|src|data-document)="(\/api\/[^"]+)"/g)].map(
    ([, path = '']) => path,
  );
  expect(new Set(named)).toEqual(new Set(['/api/docs.css', '/api/docs.js', '/api/v1/openapi.json']));
  for (const path of named) expect([path, (await get(path)).status]).toEqual([path, 200]);
});

test('the console answers among the roles', async () => {
  const console = await until(
    async () => {
      const answer = await get('/api/v1/system', { Authorization: `Bearer ${key}` });
      const { roles } = (await answer.json()) as { roles: { role: string; pid: number }[] | null };
      return roles?.find(({ role }) => role === 'console');
    },
    { what: 'the console among the roles', timeoutMs: 30_000 },
  );
  expect(console.pid).toBe(stack.role('console').pid);
}, 40_000);

/** Events of a live stream as they come. */
async function* eventsOf(url: string, signal: AbortSignal) {
  const { body } = await fetch(url, { headers: { Authorization: `Bearer ${key}` }, signal });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = /^event: (.*)$/m.exec(text.slice(0, end))?.[1];
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) yield { event, data: JSON.parse(data) as Record<string, unknown> };
    }
  }
}

/** @param path of the console that the stack began with, or the whole address of another one's */
async function firstEvent(
  path: string,
  fits: (event: Record<string, unknown>) => boolean,
  whileWaiting: () => Promise<unknown> = async () => undefined,
  name = 'overview',
): Promise<Record<string, unknown>> {
  const gone = new AbortController();
  const sending = setInterval(() => void whileWaiting(), 100);
  try {
    for await (const { event, data } of eventsOf(new URL(path, stack.consoleUrl).href, gone.signal)) {
      if (event === name && fits(data)) return data;
    }
    throw new Error('the stream ended');
  } finally {
    clearInterval(sending);
    gone.abort();
  }
}

test('the overview follows what comes in and is stored, of all and of one tenant', async () => {
  for (const tenant of ['acme', 'globex']) await stack.cliJson('tenant', 'add', tenant);
  const { token } = (await stack.cliJson('device', 'add', 'acme', 'd1', '--site', 's1')) as { token: string };
  const send = (withToken: string, headers: Record<string, string> = {}) =>
    fetch(`${stack.httpUrl}/ingest/v1/tenant/acme/device/d1/telemetry`, {
      method: 'POST',
      headers: { 'X-Provision-Token': withToken, ...headers },
      body: JSON.stringify({ site_id: 's1', metrics: { temp: 1 } }),
    });
  const again = { 'Idempotency-Key': 'the-same' };
  const both = () => Promise.all([send(token), send('wrong'), send(token, again)]);
  type Rates = Record<string, number>;
  const whole = await firstEvent(
    '/api/v1/overview/live',
    ({ by_source, by_verdict }) =>
      ((by_source as Rates).http ?? 0) > 0 &&
      ((by_verdict as Rates).stored ?? 0) > 0 &&
      ((by_verdict as Rates).quarantined ?? 0) > 0,
    both,
  );
  expect(whole).toMatchObject({ durability: 'process-crash-safe', backlog: expect.any(Number) });
  expect((whole.door_to_row_ms as { p99: number }).p99).toBeGreaterThan(0);
  const one = await firstEvent(
    '/api/v1/tenants/acme/overview/live',
    ({ by_source, by_verdict, door_to_row_ms, duplicates_at_door }) =>
      ((by_source as Rates).http ?? 0) > 0 &&
      (duplicates_at_door as number) > 0 &&
      ((by_verdict as Rates).stored ?? 0) > 0 &&
      ((by_verdict as Rates).quarantined ?? 0) > 0 &&
      (door_to_row_ms as Rates).p50 !== null,
    both,
  );
  expect(one).toMatchObject({ unaccounted: null, blocked_by: null, backlog: expect.any(Number) });
  // Another tenant hears nothing of it, now and of what was before.
  const other = await firstEvent('/api/v1/tenants/globex/overview/live', () => true, both);
  expect(other).toMatchObject({
    in_per_second: 0,
    by_source: { http: 0, mqtt: 0 },
    by_verdict: { stored: 0, duplicate: 0, quarantined: 0 },
    duplicates_at_door: 0,
    backlog: 0,
    devices: { online: 0, silent: 0 },
  });
  const flowed = ({ points }: Record<string, unknown>) =>
    (points as Rates[]).some(
      ({ in_per_second, settled_per_second }) => Number(in_per_second) > 0 && Number(settled_per_second) > 0,
    );
  // It is told at once to whoever comes when nobody has looked before; a second console begins to look by itself.
  const second = await stack.start('console');
  const historyOf = (tenant: string) => {
    const live = `http://127.0.0.1:${second.port}/api/v1/tenants/${tenant}/overview/live`;
    return firstEvent(live, () => true, undefined, 'history');
  };
  const isKnown = async () => {
    await both();
    return flowed(await historyOf('acme'));
  };
  const what = 'the past of a tenant that nobody has looked at';
  await until(isKnown, { what, timeoutMs: 30_000, everyMs: 200 });
  expect(flowed(await historyOf('globex'))).toBe(false);
  await second.stop();
  const system = await (await get('/api/v1/system', { Authorization: `Bearer ${key}` })).json();
  expect(system).toMatchObject({
    nats: { version: expect.any(String) },
    postgres: { version: expect.any(String) },
    streams: [{ name: 'TELEMETRY' }, { name: 'ROUTES' }],
  });
  const limits = await (await get('/api/v1/rate-limits', { Authorization: `Bearer ${key}` })).json();
  expect(limits).toMatchObject({ limits: { burst: 20_000 }, workers: [{ worker_id: expect.any(String) }] });
}, 60_000);

test('a console that is stopped ends its live streams, and exits with 0', async () => {
  const second = await stack.start('console');
  const { body } = await fetch(`http://127.0.0.1:${second.port}/api/v1/overview/live`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  const reading = new Response(body).text();
  expect(await second.stop()).toBe(0);
  expect(await reading).toStartWith('retry: ');
});

test('the gateway answers as the document says', async () => {
  const tenant = { tenant_id: 'doc', device_id: 'd1', msg_type: 'telemetry' };
  await stack.cliJson('tenant', 'add', 'doc');
  const { token } = (await stack.cliJson('device', 'add', 'doc', 'd1', '--site', 's1')) as { token: string };
  const body = { site_id: 's1', metrics: { temp: 1 } };
  const device = { 'X-Provision-Token': token };
  const calls: Record<string, () => Promise<Response>[]> = {
    ingestMessage: () => [
      call('ingestMessage', tenant, { headers: device, body }),
      call('ingestMessage', tenant, { headers: { ...device, Prefer: 'wait=20' }, body }),
      call('ingestMessage', tenant, { headers: device, body: 'no JSON' }),
      call('ingestMessage', tenant, { body }),
      call('ingestMessage', tenant, { headers: { 'X-Provision-Token': 'wrong', Prefer: 'wait=20' }, body }),
    ],
    ingestBatch: () => [
      call('ingestBatch', {}, { body: { messages: [{ ...tenant, ...body, provision_token: token }, 1] } }),
      call('ingestBatch', {}, { body: { messages: [] } }),
    ],
    readReceipt: () => [call('readReceipt', { receipt_id: 'none' }, { headers: device })],
    readWorkerLimits: () => [
      call('readWorkerLimits', {}, { headers: { Authorization: `Bearer ${key}` } }),
      call('readWorkerLimits', {}, {}),
    ],
  };
  expect(Object.keys(calls)).toEqual(ingestOperations.map(({ id }) => id));
  const statuses = new Set<number>();
  for (const operation of ingestOperations) {
    for (const response of await Promise.all(calls[operation.id]?.() ?? [])) {
      statuses.add(response.status);
      const schema = operation.answers[response.status]?.schema;
      const answer: unknown = await response.json();
      if (schema === undefined)
        expect([operation.id, operation.refusals]).toEqual([
          operation.id,
          expect.arrayContaining([response.status]),
        ]);
      else expect([operation.id, Compile(schema).Errors(answer)]).toEqual([operation.id, []]);
    }
  }
  expect([...statuses].toSorted()).toEqual([200, 201, 202, 400, 401, 404, 422]);
}, 60_000);

function call(
  id: string,
  params: Readonly<Record<string, string>>,
  { headers = {}, body }: { headers?: Record<string, string>; body?: unknown },
): Promise<Response> {
  const operation = ingestOperations.find((each) => each.id === id);
  const path = operation?.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '') ?? '';
  return fetch(stack.httpUrl + path, {
    method: operation?.method.toUpperCase() ?? 'GET',
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

test('the document names the gateway’s paths, all of those under /ingest', () => {
  const served = [singlePath, batchPath, receiptsPath, rateLimitsPath];
  expect(ingestOperations.map(({ path }) => path.replaceAll(/\{(\w+)\}/g, ':$1'))).toEqual(served);
});

test('the overview names what is in the way, and that it is gone', async () => {
  const says = async (block: string | null) =>
    firstEvent('/api/v1/overview/live', ({ blocked_by }) => blocked_by === block);
  await says(null);
  await stack.role('worker').stop();
  await says('no_worker');
  await firstEvent('/api/v1/tenants/acme/overview/live', ({ blocked_by }) => blocked_by === 'no_worker');
  await stack.nats.stop();
  await says('nats_away');
  await stack.nats.start();
  await stack.start('worker');
  await says(null);
}, 90_000);
