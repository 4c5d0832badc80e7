import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join, resolve } from 'node:path';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';

const caddyfile = resolve(import.meta.dir, '../../deploy/caddy/Caddyfile');
const installed = Bun.which('caddy') !== null && Bun.which('curl') !== null;
const whenInstalled = test.skipIf(!installed);
if (!installed) console.error('skipped: caddy is not installed (Debian: apt-get install caddy)');

const temp = tempFolder('caddy');
const cleanup = new AsyncDisposableStack();
cleanup.defer(() => temp.remove());
afterAll(() => cleanup.disposeAsync());
let stack: Stack;
let port: number;

beforeAll(async () => {
  if (!installed) return;
  stack = cleanup.use(await startStack({ roles: { mqtt: 0, gateway: 2 } }));
  const gateways = stack.roles
    .filter(({ role }) => role === 'gateway')
    .map((each) => `127.0.0.1:${each.port}`);
  const freePort = () => findFreePort({ random: Math.random });
  port = await freePort();
  const caddy = Bun.spawn(['caddy', 'run', '--adapter', 'caddyfile', '--config', caddyfile], {
    // Its certificates and its state stay in here.
    env: {
      PATH: process.env.PATH ?? '',
      HOME: temp.path,
      XDG_DATA_HOME: join(temp.path, 'data'),
      XDG_CONFIG_HOME: join(temp.path, 'config'),
      HTTP_PORT: `${await freePort()}`,
      HTTPS_PORT: `${port}`,
      GATEWAYS: gateways.join(' '),
      CONSOLE: '127.0.0.1:1',
    },
    stdout: 'ignore',
    stderr: 'ignore',
  });
  cleanup.defer(async () => {
    caddy.kill();
    await caddy.exited;
  });
  await until(() => curl(`https://localhost:${port}/ingest/v1/nothing`).status > 0, {
    what: 'caddy answers',
    timeoutMs: 20_000,
  });
});

function curl(...args: string[]): { status: number; body: string } {
  const run = Bun.spawnSync(['curl', '-s', '--insecure', '-w', '\n%{http_code}', ...args], {
    stdout: 'pipe',
  });
  const lines = run.stdout.toString().split('\n');
  return { status: Number(lines.at(-1)), body: lines.slice(0, -1).join('\n') };
}

whenInstalled('the lines of the brief, as they are written but for the port, are answered over https', () => {
  const single = curl(
    ...['-X', 'POST', '-H', 'Content-Type: application/json', '-H', 'X-Provision-Token: test-token'],
    `https://localhost:${port}/ingest/v1/tenant/test-tenant/device/dev1/telemetry`,
    ...['-d', '{"site_id":"s1","metrics":{"temp":22}}'],
  );
  expect(single).toEqual({ status: 202, body: '{"status":"accepted"}' });
  const batch = curl(
    ...['-X', 'POST', '-H', 'Content-Type: application/json'],
    `https://localhost:${port}/ingest/v1/batch`,
    ...[
      '-d',
      '{"messages":[{"tenant_id":"t1","device_id":"d1","msg_type":"telemetry","provision_token":"tok","site_id":"s1","metrics":{"temp":22}}]}',
    ],
  );
  expect(batch.status).toBe(200);
  expect(JSON.parse(batch.body)).toMatchObject({ accepted: 1, rejected: 0 });
});

whenInstalled('an answer that refuses goes through as it is', () => {
  const refused = curl(
    '-X',
    'POST',
    `https://localhost:${port}/ingest/v1/tenant/t1/device/d1/telemetry`,
    '-d',
    '{}',
  );
  expect(refused.status).toBe(401);
  expect(JSON.parse(refused.body)).toMatchObject({ detail: 'Missing X-Provision-Token' });
});

whenInstalled('a gateway that is gone is left out', async () => {
  await stack.role('gateway').stop();
  const send = () =>
    curl(
      ...['-X', 'POST', '-H', 'X-Provision-Token: test-token'],
      `https://localhost:${port}/ingest/v1/tenant/t1/device/d1/telemetry`,
      ...['-d', '{"site_id":"s1","metrics":{"temp":22}}'],
    );
  const sixInARow = () => Array.from({ length: 6 }, () => send().status).every((status) => status === 202);
  await until(sixInARow, { what: 'the other one takes over' });
});
