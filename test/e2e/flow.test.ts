import { expect, test } from 'bun:test';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { insertDevices, post } from '../harness/fleet.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };

async function flowOf(httpUrl: string) {
  const response = await fetch(`${httpUrl}/flow`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('canaries go from the door into the database and back: /flow says so, and nothing of them is stored', async () => {
  await using stack = await startStack({ env: { TRIBUTARY_CANARY_INTERVAL_MS: '100' } });
  await insertDevices(stack.pool, [device]);
  expect((await post(stack.httpUrl, device, { site_id: 's1', metrics: { n: 1 } })).status).toBe(202);
  const { body } = await until(
    async () => {
      const flow = await flowOf(stack.httpUrl);
      return flow.status === 200 && flow.body.backlog !== null && flow;
    },
    { what: 'it flows' },
  );
  expect(body).toMatchObject({ flowing: true, problems: [] });
  expect(body.door_to_row_ms).toBeGreaterThan(0);
  expect(Date.parse(String(body.last_settled_at))).toBeGreaterThan(Date.now() - 60_000);
  expect(body.backlog).toEqual({
    pending: expect.any(Number),
    ack_pending: expect.any(Number),
    bytes: expect.any(Number),
    max_bytes: 4096 * 1024 ** 2,
    full_percent: expect.any(Number),
    drain_rate: expect.any(Number),
  });
  const counts = async () => {
    const { rows } = await stack.pool.query(
      `select coalesce(sum(internal), 0)::int as internal, coalesce(sum(stored), 0)::int as stored,
              coalesce(sum(quarantined), 0)::int as quarantined, (select count(*)::int from telemetry) as rows,
              (select count(*)::int from device_state) as devices from ledger`,
    );
    return rows[0];
  };
  const settled = async () => (await counts()).internal >= 3 && (await counts()).stored === 1;
  await until(settled, { what: 'message and canaries are counted' });
  expect(await counts()).toMatchObject({ stored: 1, quarantined: 0, rows: 1, devices: 1 });

  // Not known before the first audit.
  await until(async () => (await flowOf(stack.httpUrl)).body.unaccounted === 0, {
    what: 'the gateway hears of the audit',
    timeoutMs: 30_000,
  });
  const metrics = await (await fetch(`${stack.httpUrl}/metrics`)).text();
  expect(metrics).toMatch(/^tributary_canary_seconds_count [1-9]/m);
  expect(metrics).toMatch(/^tributary_canary_last_success_timestamp_seconds 1[\d.e+]+$/m);

  const status = await stack.cli('status');
  expect(status.stdout).toMatch(/Flow\s+yes, door to row \d+ ms/);
});

test('while the workers are stopped few canaries are out, and /flow is 503 until one comes through', async () => {
  await using stack = await startStack({
    roles: { mqtt: 0, worker: 0 },
    env: { TRIBUTARY_CANARY_INTERVAL_MS: '20' },
  });
  const before = await until(
    async () => {
      const flow = await flowOf(stack.httpUrl);
      const pending = (flow.body.backlog as { pending: number } | null)?.pending ?? 0;
      return pending >= 3 && flow;
    },
    { what: 'canaries wait' },
  );
  expect(before).toMatchObject({ status: 503, body: { flowing: false, backlog: { pending: 3 } } });
  expect(String(before.body.problems)).toContain('No canary has come through yet');
  expect((await fetch(`${stack.httpUrl}/readyz`)).status).toBe(200);
  await stack.start('worker');
  await until(async () => (await flowOf(stack.httpUrl)).status === 200, { what: 'it flows again' });
});

test('a worker and an MQTT listener tell their health where a port is set', async () => {
  const port = await findFreePort({ random: Math.random });
  await using stack = await startStack({ roles: { mqtt: 0, worker: 0 } });
  const env = { ...stack.env, TRIBUTARY_HEALTH_PORT: String(port) };
  const { startRole } = await import('../harness/role-process.ts');
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  for (const [role, metric] of [
    ['worker', 'tributary_worker_messages_total'],
    ['mqtt', 'tributary_mqtt_connections'],
  ] as const) {
    const running = await startRole(role, env);
    expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 200]);
    expect(await (await get('/metrics')).text()).toContain(metric);
    await stack.nats.stop();
    await until(async () => (await get('/readyz')).status === 503, { what: `the ${role} is not ready` });
    expect(await (await get('/readyz')).json()).toEqual({ status: 'not ready', why: 'NATS is away' });
    expect((await get('/healthz')).status).toBe(200);
    await stack.nats.start();
    await until(async () => (await get('/readyz')).status === 200, { what: `the ${role} is ready again` });
    expect(await running.stop()).toBe(0);
  }
});
