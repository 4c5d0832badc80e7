import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import mqtt from 'mqtt';
import { inboxPrefixOf } from '../../src/roles/servers/dial-nats.ts';
import { connectNats } from '../../src/stream/connection.ts';
import { type NatsUser, natsUsers } from '../../src/stream/permissions.ts';
import { startTestNats, type TestNats } from '../harness/nats.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { type RoleName, type RoleProcess, runTributary, startRole } from '../harness/role-process.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';
import { bytes, silent } from '../stream/stream-fixture.ts';

const temp = tempFolder('nats-permissions');
const cleanup = new AsyncDisposableStack();
cleanup.defer(() => temp.remove());
afterAll(() => cleanup.disposeAsync());
let nats: TestNats;

/** The port is known only once the server runs: it begins with an empty file and reads the users by SIGHUP. */
beforeAll(async () => {
  const users = join(temp.path, 'users', 'nats-users.conf');
  const placeholder = join(temp.path, 'include.conf');
  writeFileSync(placeholder, '');
  nats = cleanup.use(await startTestNats({ include: [placeholder] }));
  const made = await runTributary(
    ['nats-config', join(temp.path, 'users'), '--server', nats.url, '--json'],
    {},
  );
  expect(made.code).toBe(0);
  writeFileSync(placeholder, readFileSync(users));
  process.kill(nats.pid(), 'SIGHUP');
  const admin = await until(() => connectAs('admin'), { what: 'the users are known' });
  await admin.close();
  await until(nobodyComesInWithoutPassword, { what: 'nobody comes in without a password' });
  const { code, stderr } = await runTributary(['topology'], { NATS_URL_FILE: fileOf('admin') });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

async function nobodyComesInWithoutPassword(): Promise<boolean> {
  try {
    const nc = await connectNats({ url: nats.url, name: 'x', log: silent });
    await nc.close();
    return false;
  } catch {
    return true;
  }
}

const fileOf = (user: NatsUser) => join(temp.path, 'users', `${user}.nats-url`);

/** With what the server forbade, as it told it. */
async function connectAs(user: NatsUser): Promise<NatsConnection & { readonly refused: string[] }> {
  const url = readFileSync(fileOf(user), 'utf8').trim();
  const nc = await connectNats({ url, name: user, log: silent, inboxPrefix: inboxPrefixOf(user) });
  const refused: string[] = [];
  void (async () => {
    for await (const status of nc.status()) if (status.type === 'error') refused.push(status.error.message);
  })();
  return Object.assign(nc, { refused });
}

/** Whether the server lets this user do it. */
async function mayPublish(user: NatsUser, subject: string): Promise<boolean> {
  const nc = await connectAs(user);
  nc.publish(subject, bytes('{}'));
  await nc.flush();
  await nc.flush();
  await nc.close();
  return nc.refused.length === 0;
}

async function maySubscribe(user: NatsUser, subject: string): Promise<boolean> {
  const nc = await connectAs(user);
  nc.subscribe(subject, { callback: () => undefined });
  await nc.flush();
  await nc.flush();
  await nc.close();
  return nc.refused.length === 0;
}

test('files are the owner’s alone, and are not written over unasked', async () => {
  for (const user of natsUsers) expect(statSync(fileOf(user)).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(temp.path, 'users', 'nats-users.conf'), 'utf8')).not.toContain(
    new URL(readFileSync(fileOf('worker'), 'utf8').trim()).password,
  );
  const again = await runTributary(['nats-config', join(temp.path, 'users')], {});
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('is there already: name another folder, or add --force');
});

const pullTelemetry = '$JS.API.CONSUMER.MSG.NEXT.TELEMETRY.ingest-workers';

test.each([
  ['gateway', 'telemetry.t1'],
  ['mqtt', 'telemetry.t1'],
  ['mqtt-bridge', 'telemetry.t1'],
  ['worker', pullTelemetry],
  ['worker', 'routes.t1'],
  ['delivery', '$JS.API.CONSUMER.MSG.NEXT.ROUTES.route-delivery'],
] as const)('%s may publish to %s', async (user, subject) => {
  expect(await mayPublish(user, subject)).toBe(true);
});

test.each([
  // A door cannot read the stream, change it or acknowledge in it.
  ['gateway', pullTelemetry],
  ['gateway', '$JS.API.STREAM.MSG.GET.TELEMETRY'],
  ['gateway', '$JS.API.DIRECT.GET.TELEMETRY'],
  ['gateway', '$JS.API.CONSUMER.CREATE.TELEMETRY'],
  ['gateway', '$JS.API.CONSUMER.DURABLE.CREATE.TELEMETRY.mine'],
  ['gateway', '$JS.API.STREAM.DELETE.TELEMETRY'],
  ['gateway', '$JS.API.STREAM.PURGE.TELEMETRY'],
  ['gateway', '$JS.ACK.TELEMETRY.ingest-workers.1.1.1.1.1'],
  ['gateway', 'routes.t1'],
  ['gateway', 'readings.t1.d1'],
  ['mqtt', pullTelemetry],
  ['mqtt-bridge', pullTelemetry],
  // A worker cannot make up messages, or look into them out of turn.
  ['worker', 'telemetry.t1'],
  ['worker', '$JS.API.STREAM.MSG.GET.TELEMETRY'],
  ['worker', '$JS.API.STREAM.DELETE.TELEMETRY'],
  ['worker', '$JS.API.CONSUMER.MSG.NEXT.ROUTES.route-delivery'],
  ['delivery', 'telemetry.t1'],
  ['delivery', 'routes.t1'],
  ['delivery', pullTelemetry],
  ['console', 'telemetry.t1'],
  ['console', pullTelemetry],
  ['console', '$JS.API.STREAM.DELETE.TELEMETRY'],
] as const)('%s may not publish to %s', async (user, subject) => {
  expect(await mayPublish(user, subject)).toBe(false);
});

test.each([
  ['gateway', 'telemetry.>'],
  ['gateway', '_INBOX.worker.>'],
  ['gateway', '_INBOX.>'],
  ['gateway', 'readings.>'],
  ['mqtt', 'telemetry.t1'],
  ['worker', 'telemetry.>'],
  ['worker', '_INBOX.gateway.>'],
  ['delivery', '_INBOX.worker.>'],
  ['console', 'telemetry.>'],
  ['console', '_INBOX.worker.>'],
] as const)('%s may not listen to %s', async (user, subject) => {
  expect(await maySubscribe(user, subject)).toBe(false);
});

test('with these users everything works: both doors, routes, status, and no role is refused anything', async () => {
  await using database = await createTestDatabase();
  await using roles = new AsyncDisposableStack();
  const base = {
    DATABASE_URL: database.url,
    TRIBUTARY_HTTP_PORT: '0',
    TRIBUTARY_MQTT_PORT: '0',
    TRIBUTARY_CONSOLE_PORT: '0',
  };
  const key = Buffer.alloc(32, 7).toString('base64');
  const running = new Map<RoleName, RoleProcess>();
  const start = async (name: RoleName) => {
    const role = await startRole(name, { ...base, TRIBUTARY_SECRETS_KEY: key, NATS_URL_FILE: fileOf(name) });
    roles.defer(async () => void (await role.stop()));
    running.set(name, role);
    return role;
  };
  const [gateway, listener] = [await start('gateway'), await start('mqtt')];
  const [operators] = await Promise.all([start('console'), start('worker'), start('delivery')]);
  const admin = { ...base, TRIBUTARY_SECRETS_KEY: key, NATS_URL_FILE: fileOf('admin') };
  const cli = async (...args: string[]) => {
    const { code, stdout, stderr } = await runTributary([...args, '--json'], admin);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout);
  };
  await cli('tenant', 'add', 't1');
  const { token } = await cli('device', 'add', 't1', 'd1', '--site', 's1');
  await cli('route', 'add', 't1', 'on', '--nats', 'out.{tenant_id}.readings', '--filter', '#');
  const watcher = await connectAs('admin');
  const routed: string[] = [];
  watcher.subscribe('out.>', { callback: (_, message) => void routed.push(message.string()) });
  await watcher.flush();

  const answer = await fetch(`http://127.0.0.1:${gateway.port}/ingest/v1/tenant/t1/device/d1/telemetry`, {
    method: 'POST',
    headers: { 'X-Provision-Token': token, Prefer: 'wait=10' },
    body: '{"site_id":"s1","metrics":{"temp":22}}',
  });
  expect(answer.status).toBe(201);
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${listener.port}`, {
    username: 't1/d1',
    password: token,
  });
  await client.publishAsync('tenant/t1/device/d1/telemetry', '{"site_id":"s1","metrics":{"temp":23}}', {
    qos: 1,
  });
  await client.endAsync();
  await until(() => routed.length === 2, { what: 'both readings at their destination', timeoutMs: 20_000 });
  const status = await cli('status');
  expect(status.roles.map(({ role }: { role: string }) => role).toSorted()).toEqual([
    'console',
    'delivery',
    'gateway',
    'mqtt',
    'worker',
  ]);
  await watcher.close();
  const { key: operatorKey } = await cli('operator-key', 'add', 'me');
  const api = `http://127.0.0.1:${operators.port}/api/v1`;
  const headers = { Authorization: `Bearer ${operatorKey}` };
  for (const path of ['/status', '/system', '/overview', '/rate-limits', '/tenants/t1/rate-limits'])
    expect([path, (await fetch(api + path, { headers })).status]).toEqual([path, 200]);
  const live = await fetch(`${api}/tenants/t1/live`, { headers });
  const sent = fetch(`http://127.0.0.1:${gateway.port}/ingest/v1/tenant/t1/device/d1/telemetry`, {
    method: 'POST',
    headers: { 'X-Provision-Token': token },
    body: '{"site_id":"s1","metrics":{"live":1}}',
  });
  let events = '';
  for await (const chunk of live.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    events += chunk;
    if (events.includes('"live":1')) break;
  }
  expect((await sent).status).toBe(202);
  for (const [name, role] of running)
    expect([name, role.log()]).toEqual([name, expect.not.stringMatching(/permissions violation/i)]);
}, 90_000);
