import { describe, expect, test } from 'bun:test';
import { connect } from '@nats-io/transport-node';
import pino from 'pino';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import { hashToken } from '../../src/model/token.ts';
import { type RunningGateway, startGateway } from '../../src/roles/gateway.ts';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { addDevice } from '../../src/store/registry/add-device.ts';
import { addOperatorKey } from '../../src/store/registry/add-operator-key.ts';
import { addTenant } from '../../src/store/registry/add-tenant.ts';
import { revokeDevice } from '../../src/store/registry/revoke-device.ts';
import { rateLimitsSubject, rolesStatusSubject, streamName } from '../../src/stream/subjects.ts';
import { startTestNats } from '../harness/nats.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { until } from '../harness/until.ts';

/** Nobody listens there. */
const noDatabase = 'postgres://nobody@127.0.0.1:1/none';
const t1 = 't1' as TenantId;

async function start(environment: Record<string, string>) {
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const config = parseConfig({
    DATABASE_URL: noDatabase,
    TRIBUTARY_HTTP_PORT: '0',
    // What lies in the stream is compared exactly.
    TRIBUTARY_CANARY_INTERVAL_MS: '0',
    ...environment,
  });
  const gateway: RunningGateway = await startGateway(config, { log });
  const url = `http://127.0.0.1:${gateway.port}`;
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers });
  return {
    ...gateway,
    url,
    logged,
    send: (device: string, token: string, body: unknown = {}, headers: Record<string, string> = {}) =>
      post(`/ingest/v1/tenant/t1/device/${device}/telemetry`, body, {
        'X-Provision-Token': token,
        ...headers,
      }),
    sendBatch: (...messages: unknown[]) => post('/ingest/v1/batch', { messages }),
    get: (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers }),
    [Symbol.asyncDispose]: gateway.drain,
  };
}

/** Everything in TELEMETRY, read without consuming it. */
async function stored(natsUrl: string): Promise<{ subject: string; envelope: Record<string, unknown> }[]> {
  const nc = await connect({ servers: natsUrl });
  const messages = [];
  for (let seq = 1; ; seq++) {
    const answer = await nc.request(`$JS.API.STREAM.MSG.GET.${streamName}`, JSON.stringify({ seq }));
    const { message } = answer.json<{ message?: { subject: string; data: string } }>();
    if (message === undefined) break;
    const envelope = JSON.parse(Buffer.from(message.data, 'base64').toString());
    messages.push({ subject: message.subject, envelope });
  }
  await nc.close();
  return messages;
}

describe('a gateway with NATS', () => {
  test('answers 202 and the message lies in the stream, as the envelope says', async () => {
    await using nats = await startTestNats();
    await using gateway = await start({ NATS_URL: nats.url });
    const before = Date.now();
    const answer = await gateway.send('d1', 'test-token', { site_id: 's1', metrics: { temp: 22 } });
    expect([answer.status, await answer.text()]).toEqual([202, '{"status":"accepted"}']);
    const batch = await gateway.sendBatch(
      { tenant_id: 't2', device_id: 'd2', provision_token: 'tok', metrics: { temp: 1 } },
      { tenant_id: 't2' },
    );
    expect(await batch.json()).toEqual({
      accepted: 1,
      rejected: 1,
      results: [
        { index: 0, status: 'accepted' },
        { index: 1, status: 'rejected', reason: 'missing tenant_id or device_id' },
      ],
    });
    const [single, item, ...more] = await stored(nats.url);
    expect(more).toEqual([]);
    expect(single).toEqual({
      subject: 'telemetry.t1',
      envelope: {
        topic: 'tenant/t1/device/d1/telemetry',
        tenant_id: 't1',
        device_id: 'd1',
        msg_type: 'telemetry',
        username: '',
        payload: { provision_token: 'test-token', site_id: 's1', metrics: { temp: 22 } },
        ts: expect.any(Number),
      },
    });
    expect(Number(single?.envelope.ts)).toBeGreaterThanOrEqual(before);
    expect(item).toMatchObject({
      subject: 'telemetry.t2',
      envelope: {
        payload: { tenant_id: 't2', device_id: 'd2', provision_token: 'tok', metrics: { temp: 1 } },
      },
    });
  });

  test('a message sent again under its key is stored once, through either door of HTTP', async () => {
    await using nats = await startTestNats();
    await using gateway = await start({ NATS_URL: nats.url });
    const key = { 'Idempotency-Key': 'k1' };
    for (let count = 0; count < 3; count++) {
      expect((await gateway.send('d1', 'tok', { a: 1 }, key)).status).toBe(202);
    }
    const item = { tenant_id: 't1', device_id: 'd2', provision_token: 'tok', msg_id: 'k2' };
    for (let count = 0; count < 3; count++) {
      expect(await (await gateway.sendBatch(item, item)).json()).toMatchObject({ accepted: 2 });
    }
    expect((await gateway.send('d1', 'tok', { a: 2 }, key)).status).toBe(202);
    expect((await gateway.send('d1', 'tok', {})).status).toBe(202);
    expect((await gateway.send('d1', 'tok', {})).status).toBe(202);
    // One per key and body, and each of the two sends without a key.
    expect(await stored(nats.url)).toHaveLength(5);
  });

  test('says that it is ready in one line, and who it is on NATS', async () => {
    await using nats = await startTestNats();
    await using gateway = await start({ NATS_URL: nats.url });
    const ready = gateway.logged.filter(({ event }) => event === 'ready');
    expect(ready).toMatchObject([{ role: 'gateway', port: gateway.port, bind: '127.0.0.1' }]);
    const nc = await connect({ servers: nats.url });
    const status = (await nc.request(rolesStatusSubject, '', { timeout: 2_000 })).json();
    expect(status).toMatchObject({ role: 'gateway', id: ready[0]?.id, pid: process.pid, inFlight: 0 });
    await nc.close();
  });

  test('accepts and is ready without PostgreSQL; only the operator’s question cannot be answered', async () => {
    await using nats = await startTestNats();
    await using gateway = await start({ NATS_URL: nats.url, TRIBUTARY_SYNC_AUTH: '1' });
    expect((await gateway.send('d1', 'any')).status).toBe(202);
    expect((await gateway.get('/readyz')).status).toBe(200);
    const answer = await gateway.get('/ingest/v1/metrics/rate-limits', { Authorization: 'Bearer trbop_x' });
    expect(await answer.json()).toMatchObject({ status: 503, detail: 'Operator key cannot be checked' });
  });
});

describe('a gateway without NATS', () => {
  test('starts, answers 503 with Retry-After, and 202 as soon as NATS is there', async () => {
    await using nats = await startTestNats();
    await nats.stop();
    await using gateway = await start({ NATS_URL: nats.url });
    const refused = await gateway.send('d1', 'tok');
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('Retry-After'))).toBeWithin(1, 61);
    expect(await refused.json()).toMatchObject({ detail: 'Ingestion temporarily unavailable' });
    expect((await gateway.get('/readyz')).status).toBe(503);
    expect((await gateway.get('/healthz')).status).toBe(200);
    await nats.start();
    await until(async () => (await gateway.send('d1', 'tok')).status === 202, {
      what: '202',
      timeoutMs: 5_000,
    });
    expect((await gateway.get('/readyz')).status).toBe(200);
    const warnings = gateway.logged.filter(({ event }) => event === 'nats_unreachable');
    expect(warnings).toMatchObject([{ msg: expect.stringContaining('Cannot reach NATS at 127.0.0.1') }]);
  });

  test('answers 503 within 2 s when NATS stops, and 202 within 5 s when it is back', async () => {
    await using nats = await startTestNats();
    await using gateway = await start({ NATS_URL: nats.url });
    expect((await gateway.send('d1', 'tok')).status).toBe(202);
    await nats.stop();
    const stoppedAtMs = performance.now();
    const refused = await gateway.send('d1', 'tok');
    expect(refused.status).toBe(503);
    expect(performance.now() - stoppedAtMs).toBeLessThan(2_000);
    expect(Number(refused.headers.get('Retry-After'))).toBeWithin(1, 61);
    expect((await gateway.get('/readyz')).status).toBe(503);
    await nats.start();
    await until(async () => (await gateway.send('d1', 'tok')).status === 202, {
      what: '202',
      timeoutMs: 5_000,
    });
    expect((await stored(nats.url)).length).toBeGreaterThanOrEqual(2);
  });

  test('a whole batch is 503 as well, so that the client keeps it', async () => {
    await using nats = await startTestNats();
    await nats.stop();
    await using gateway = await start({ NATS_URL: nats.url });
    const answer = await gateway.sendBatch({ tenant_id: 't', device_id: 'd', provision_token: 'k' }, 1);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('Retry-After'))).toBeWithin(1, 61);
  });

  test('drains at once', async () => {
    await using nats = await startTestNats();
    const gateway = await start({ NATS_URL: nats.url });
    await nats.stop();
    await gateway.drain();
    await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow();
  });
});

test('with the synchronous check wrong tokens are told at once, and all told from a copy of the registry', async () => {
  await using database = await createTestDatabase();
  await addTenant(database.pool, t1);
  for (const deviceId of ['good', 'gone'] as DeviceId[]) {
    await addDevice(database.pool, t1, { deviceId, siteId: 's1', tokenSha256: hashToken('right') });
  }
  await revokeDevice(database.pool, t1, 'gone' as DeviceId);
  await using nats = await startTestNats();
  await using gateway = await start({
    NATS_URL: nats.url,
    DATABASE_URL: database.url,
    TRIBUTARY_SYNC_AUTH: '1',
  });
  await until(async () => (await gateway.send('good', 'wrong')).status === 401, {
    what: 'the registry is known',
  });
  const answers = await Promise.all([
    gateway.send('good', 'right'),
    gateway.send('good', 'wrong'),
    gateway.send('nobody', 'right'),
    gateway.send('gone', 'right'),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([202, 401, 401, 403]);
  const [, wrong, unknown] = await Promise.all(answers.map((answer) => answer.json()));
  expect(wrong).toEqual(unknown);
  const item = (device_id: string, provision_token: string) => ({
    tenant_id: 't1',
    device_id,
    provision_token,
  });
  const batch = await gateway.sendBatch(item('good', 'right'), item('nobody', 'x'), item('gone', 'right'));
  const { results } = (await batch.json()) as { results: { reason?: string }[] };
  expect(results.map(({ reason }) => reason)).toEqual([
    undefined,
    'unknown device or wrong token',
    'device revoked',
  ]);
});

test('tenants that do not exist share one small bucket: 429 with Retry-After beyond it', async () => {
  await using database = await createTestDatabase();
  await addTenant(database.pool, t1);
  await using nats = await startTestNats();
  await using gateway = await start({
    NATS_URL: nats.url,
    DATABASE_URL: database.url,
    TRIBUTARY_UNKNOWN_TENANT_RATE: '0.01',
    TRIBUTARY_UNKNOWN_TENANT_BURST: '2',
  });
  const stranger = () => gateway.sendBatch({ tenant_id: 'x', device_id: 'd', provision_token: 'k' });
  await until(async () => (await stranger()).status === 503, { what: 'the bucket is empty' });
  const path = '/ingest/v1/tenant/y/device/d/telemetry';
  const headers = { 'X-Provision-Token': 'k' };
  const answer = await fetch(gateway.url + path, { method: 'POST', body: '{}', headers });
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get('Retry-After'))).toBeWithin(1, 61);
  expect((await gateway.send('d1', 'tok')).status).toBe(202);
});

test('an operator sees what the live workers counted', async () => {
  await using database = await createTestDatabase();
  await addOperatorKey(database.pool, 'ops', hashToken('trbop_right'));
  await using nats = await startTestNats();
  await using gateway = await start({ NATS_URL: nats.url, DATABASE_URL: database.url });
  const nc = await connect({ servers: nats.url });
  for (const [id, limited] of [
    ['w1', 2],
    ['w2', 3],
  ] as const) {
    nc.subscribe(rateLimitsSubject, {
      callback: (_, message) => {
        message.respond(JSON.stringify({ id, stats: { limited } }));
      },
    });
  }
  await nc.flush();
  const ask = (key: string) =>
    gateway.get('/ingest/v1/metrics/rate-limits', { Authorization: `Bearer ${key}` });
  const answer = (await (await ask('trbop_right')).json()) as { workers: { id: string }[] };
  expect(answer).toMatchObject({ rate_limit_stats: { limited: 5 }, timestamp: expect.any(String) });
  expect(answer.workers.map(({ id }) => id).toSorted()).toEqual(['w1', 'w2']);
  expect((await ask('trbop_wrong')).status).toBe(401);
  await nc.close();
});

describe('a gateway that cannot start says why in one sentence', () => {
  test('a port that is taken', async () => {
    await using nats = await startTestNats();
    const port = await findFreePort({ random: Math.random });
    const taken = Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } });
    const starting = start({ NATS_URL: nats.url, TRIBUTARY_HTTP_PORT: String(port) });
    await expect(starting).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken: stop what listens there, or set TRIBUTARY_HTTP_PORT.`,
    );
    taken.stop(true);
  });

  test('no address of NATS', async () => {
    await expect(start({})).rejects.toThrow(/^NATS_URL is not set/);
  });

  test('an address of NATS that is none, without showing it', async () => {
    await expect(start({ NATS_URL: 'http://user:secret@x' })).rejects.toThrow(
      /^(?!.*secret).*nats:\/\/host:port/,
    );
  });
});
