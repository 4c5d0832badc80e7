import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { SimulationSummary } from '../../../src/cli/simulate/summary.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { until } from '../../harness/until.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
}, 60_000);
afterAll(() => stack[Symbol.asyncDispose]());

const simulate = (...args: string[]) =>
  stack.cliJson(
    'simulate',
    '--http-url',
    stack.httpUrl,
    '--mqtt-url',
    stack.mqttUrl,
    ...args,
  ) as Promise<SimulationSummary>;

const count = async (sql: string) => Number((await stack.pool.query<{ n: bigint }>(sql)).rows[0]?.n);

test('a simulated fleet leaves in the database exactly what it says, over all three ways', async () => {
  const args = ['--devices', '12', '--rate', '150', '--minutes', '0.06', '--seed', '3'];
  const summary = await simulate(...args, '--duplicates', '5', '--wrong-tokens', '5', '--late', '30');
  expect(summary).toMatchObject({
    tenant_id: 'sim',
    devices: 12,
    seed: 3,
    refused: 0,
    unknown: 0,
    reasons: {},
  });
  for (const way of ['http', 'batch', 'mqtt']) expect(summary.ways[way]?.accepted).toBeGreaterThan(50);
  const { late, duplicates, wrong_tokens: wrongTokens } = summary.on_purpose;
  expect(Math.min(late, duplicates, wrongTokens)).toBeGreaterThan(0);
  const stored = "select count(*) as n from telemetry where tenant_id = 'sim'";
  const quarantined = "select count(*) as n from quarantine where tenant_id = 'sim'";
  const { telemetry, heartbeats, token_invalid: tokenInvalid } = summary.expected;
  expect(telemetry + tokenInvalid + duplicates).toBe(summary.accepted);
  await until(async () => (await count(stored)) >= telemetry && (await count(quarantined)) >= tokenInvalid, {
    what: 'everything is settled',
  });
  expect(await count(stored)).toBe(telemetry);
  expect(await count(`${stored} and msg_type = 'heartbeat'`)).toBe(heartbeats);
  expect(await count(quarantined)).toBe(tokenInvalid);
  expect(await count(`${quarantined} and reason = 'TOKEN_INVALID'`)).toBe(tokenInvalid);
});

test('a second run takes the same devices over with new tokens', async () => {
  const target = ['--http-url', stack.httpUrl, '--mqtt-url', stack.mqttUrl];
  const size = ['--devices', '12', '--rate', '50', '--minutes', '0.02'];
  const { stdout, stderr } = await stack.cli('simulate', ...target, ...size, '--json');
  expect(stderr.split('\n').filter((line) => line.length > 80)).toEqual([]);
  const summary = JSON.parse(stdout) as SimulationSummary;
  expect(summary.refused).toBe(0);
  expect(summary.accepted).toBe(summary.sent);
  expect(await count("select count(*) as n from devices where tenant_id = 'sim'")).toBe(12);
  // Of two runs: the tenant made and changed, the fleet registered twice.
  const { rows } = await stack.pool.query<{ action: string }>(
    'select action from audit_log order by entry_id',
  );
  expect(rows.map(({ action }) => action)).toEqual([
    'tenant.create',
    'device.import',
    'tenant.change',
    'device.import',
  ]);
});

test('status shows each running role, the streams and what has become of everything', async () => {
  const status = (await stack.cliJson('status')) as {
    roles: { role: string }[];
    streams: { name: string; last_seq: number; consumer: { num_pending: number; ack_floor: number } }[];
    totals: { stored: number };
    devices: { devices: number; online: number };
  };
  expect(status.roles.map(({ role }) => role)).toEqual(['gateway', 'mqtt', 'worker']);
  expect(status.streams.map(({ name }) => name)).toEqual(['TELEMETRY', 'ROUTES']);
  const [telemetry] = status.streams;
  expect(telemetry?.consumer.ack_floor).toBe(telemetry?.last_seq);
  expect(status.totals.stored).toBeGreaterThan(100);
  expect(status.devices).toMatchObject({ devices: 12, online: 12 });
  const { stdout } = await stack.cli('status');
  expect(stdout).toMatch(/^TELEMETRY +0 /m);
  expect(stdout.split('\n').filter((line) => Bun.stringWidth(line) > 80)).toEqual([]);
});

test('status without PostgreSQL shows the rest, with exit code 1', async () => {
  const { code, stdout, stderr } = await stack.cli('status', '--database-url', 'postgres://127.0.0.1:1/x');
  expect(code).toBe(1);
  expect(stdout).toMatch(/^PostgreSQL +away$/m);
  expect(stdout).toMatch(/^worker +worker-/m);
  expect(stderr).toContain('cannot use PostgreSQL at 127.0.0.1:1/x');
});

test('a fleet that nobody listens to is a failure that says so', async () => {
  const nowhere = ['--http-url', 'http://127.0.0.1:1', '--mqtt-url', 'mqtt://127.0.0.1:1'];
  const { code, stderr } = await stack.cli('simulate', ...nowhere, '--minutes', '0.01', '--devices', '4');
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^error: nothing was accepted at http:.*: (no connection|MQTT CONNECT: ECONNREFUSED)\.$/m,
  );
});

test('Ctrl-C ends a simulation early, with its summary', async () => {
  const args = [
    'simulate',
    '--http-url',
    stack.httpUrl,
    '--mqtt-url',
    stack.mqttUrl,
    '--minutes',
    '5',
    '--json',
  ];
  const child = Bun.spawn([process.execPath, 'src/cli/main.ts', ...args], {
    env: { PATH: process.env.PATH, ...stack.env },
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const accepted =
    "select count(*) as n from telemetry where tenant_id = 'sim' and arrived_at > now() - interval '2 s'";
  await until(async () => (await count(accepted)) > 0, { what: 'the fleet is heard' });
  child.kill('SIGINT');
  const summary = JSON.parse(await new Response(child.stdout).text()) as SimulationSummary;
  expect(await child.exited).toBe(0);
  expect(summary.accepted).toBe(summary.sent);
});
