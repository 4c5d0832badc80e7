import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

let stack: Stack;
let key: string;
beforeAll(async () => {
  stack = await startStack({ roles: { gateway: 0, mqtt: 0, worker: 0, console: 1 } });
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
  const roles = await until(
    async () => {
      const status = (await stack.cliJson('status')) as { roles: { role: string; pid: number }[] };
      return status.roles.find(({ role }) => role === 'console');
    },
    { what: 'the console in the status' },
  );
  expect(roles.pid).toBe(stack.role('console').pid);
});
