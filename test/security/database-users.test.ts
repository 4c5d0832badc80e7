import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import pg from 'pg';
import { type DatabaseUser, databaseUserNames, loginOf } from '../../src/store/database-users.ts';
import { startTestNats, type TestNats } from '../harness/nats.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { type RoleName, type RoleProcess, runTributary, startRole } from '../harness/role-process.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';

const temp = tempFolder('database-users');
const cleanup = new AsyncDisposableStack();
cleanup.defer(() => temp.remove());
afterAll(() => cleanup.disposeAsync());
let database: TestDatabase;
let nats: TestNats;
const fileOf = (user: DatabaseUser) => join(temp.path, 'users', `${user}.database-url`);
const key = Buffer.alloc(32, 7).toString('base64');

beforeAll(async () => {
  database = cleanup.use(await createTestDatabase());
  nats = cleanup.use(await startTestNats());
  // Logins belong to the cluster, which outlives this database.
  cleanup.defer(async () => {
    const logins = databaseUserNames.map(loginOf).join(', ');
    await database.pool.query(`drop role if exists ${logins}`);
  });
  const made = await runTributary(['database-users', join(temp.path, 'users'), '--json'], {
    DATABASE_URL: database.url,
  });
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: '' });
  const { rows } = await database.pool.query('select actor_kind, action, detail::text from audit_log');
  expect(rows).toEqual([
    { actor_kind: 'cli', action: 'database_users.put', detail: expect.stringContaining('_worker_login') },
  ]);
});

async function as<T>(user: DatabaseUser, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: readFileSync(fileOf(user), 'utf8').trim() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

test('files are the owner’s alone, and a second call writes over none unasked', async () => {
  for (const user of databaseUserNames) expect(statSync(fileOf(user)).mode & 0o777).toBe(0o600);
  const again = await runTributary(['database-users', join(temp.path, 'users')], {
    DATABASE_URL: database.url,
  });
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('is there already: name another folder, or add --force');
});

test.each([
  // A door sees no readings and writes nothing.
  ['gateway', 'select metrics from telemetry'],
  ['gateway', 'select envelope from quarantine'],
  ['gateway', 'select secrets from routes'],
  ['gateway', 'delete from claims'],
  ['gateway', `insert into tenants (tenant_id) values ('mine')`],
  ['gateway', `update devices set token_sha256 = null`],
  ['gateway', 'select * from tenant_keys'],
  ['mqtt', 'select metrics from telemetry'],
  ['mqtt-bridge', 'select metrics from telemetry'],
  // A worker does not change the schema, make logins or read what belongs to nobody.
  ['worker', 'drop table telemetry'],
  ['worker', 'alter table telemetry disable row level security'],
  ['worker', 'create role mine'],
  ['worker', `select * from pg_authid`],
  ['delivery', 'select metrics from telemetry'],
  ['delivery', 'select token_sha256 from devices'],
  ['delivery', 'update routes set destination = destination'],
  ['delivery', 'delete from ledger'],
  ['console', 'drop table telemetry'],
] as const)('%s may not: %s', async (user, sql) => {
  await expect(as(user, (client) => client.query(sql))).rejects.toThrow(
    /permission denied|must be (?:owner|superuser)/,
  );
});

test('with these logins everything works: doors, receipts, routes that are disabled, dead letters', async () => {
  await using roles = new AsyncDisposableStack();
  const base = {
    NATS_URL: nats.url,
    TRIBUTARY_HTTP_PORT: '0',
    TRIBUTARY_MQTT_PORT: '0',
    TRIBUTARY_CONSOLE_PORT: '0',
    TRIBUTARY_SECRETS_KEY: key,
    TRIBUTARY_RECEIPT_KEY: key,
    TRIBUTARY_ALLOW_DESTINATIONS: '127.0.0.0/8',
  };
  const running: RoleProcess[] = [];
  const start = async (name: RoleName & DatabaseUser) => {
    const role = await startRole(name, { ...base, DATABASE_URL_FILE: fileOf(name) });
    roles.defer(async () => void (await role.stop()));
    running.push(role);
    return role;
  };
  const [gateway, listener] = [await start('gateway'), await start('mqtt')];
  const [operators] = await Promise.all([start('console'), start('worker'), start('delivery')]);
  const cli = async (...args: string[]) => {
    const env = { ...base, DATABASE_URL: database.url };
    const { code, stdout, stderr } = await runTributary([...args, '--json'], env);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout);
  };
  using receiver = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => new Response(null, { status: request.url.endsWith('/gone') ? 410 : 200 }),
  });
  await cli('tenant', 'add', 't1');
  const { token } = await cli('device', 'add', 't1', 'd1', '--site', 's1');
  await cli('route', 'add', 't1', 'well', '--webhook', `${receiver.url}well`, '--filter', '#');
  await cli('route', 'add', 't1', 'gone', '--webhook', `${receiver.url}gone`, '--filter', '#');
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/ingest/v1/tenant/t1/device/d1/telemetry`, {
    method: 'POST',
    headers: { 'X-Provision-Token': token },
    body: '{"site_id":"s1","metrics":{"temp":22}}',
  });
  expect(answer.status).toBe(202);
  const receipt = `http://127.0.0.1:${gateway.port}${answer.headers.get('Location')}`;
  const deliveries = async () => {
    const told = await fetch(receipt, { headers: { 'X-Provision-Token': token } });
    const { status, deliveries: all = [] } = (await told.json()) as {
      status: string;
      deliveries?: { route: string; status: string }[];
    };
    return `${status} ${all
      .map((each) => `${each.route} ${each.status}`)
      .toSorted()
      .join(', ')}`;
  };
  await until(async () => (await deliveries()) === 'stored gone dead, well delivered', {
    what: 'the receipt tells of both deliveries',
    timeoutMs: 20_000,
  });
  expect(await cli('route', 'show', 't1', 'gone')).toMatchObject({ enabled: false });
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${listener.port}`, {
    username: 't1/d1',
    password: token,
  });
  await client.publishAsync('tenant/t1/device/d1/telemetry', '{"site_id":"s1","metrics":{"temp":23}}', {
    qos: 1,
  });
  await client.endAsync();
  const rows = async () => (await database.pool.query('select from telemetry')).rowCount;
  await until(async () => (await rows()) === 2, { what: 'both rows' });
  // Row-level security hides nothing that a door goes by.
  for (const user of ['gateway', 'mqtt', 'delivery'] as const) {
    const { rows: seen } = await as(user, (login) => login.query('select tenant_id from tenants'));
    expect([user, seen]).toEqual([user, [{ tenant_id: 't1' }]]);
  }
  const { key: operatorKey } = await cli('operator-key', 'add', 'me');
  const api = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${operators.port}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${operatorKey}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return [method, path, answer.status];
  };
  const tenant = '/tenants/t1';
  for (const path of [
    ...['/tenants', '/status', '/system', '/overview', '/quarantine', '/audit-log', '/operator-keys'],
    ...['/devices', '/sites', '/quarantine/stats', '/dead-letters', '/keys', '/audit-log', '/overview'].map(
      (each) => tenant + each,
    ),
    ...[
      '',
      '/sensors',
      '/telemetry',
      '/telemetry/latest',
      '/series?metric=temp',
      '/gaps',
      '/status-history',
      '/rejected',
    ].map((each) => `${tenant}/devices/d1${each}`),
  ])
    expect(await api('GET', path)).toEqual(['GET', path, 200]);
  expect(await api('POST', `${tenant}/devices`, { device_id: 'd2', site_id: 's1' })).toEqual([
    'POST',
    `${tenant}/devices`,
    201,
  ]);
  for (const what of ['rotate', 'revoke', 'reinstate'])
    expect((await api('POST', `${tenant}/devices/d2/${what}`))[2]).toBeOneOf([200, 204]);
  expect(await api('POST', `${tenant}/keys`, { name: 'k', level: 'read' })).toEqual([
    'POST',
    `${tenant}/keys`,
    201,
  ]);
  expect((await api('DELETE', `${tenant}/devices/d2`))[2]).toBe(200);
  for (const role of running)
    expect([role.role, role.log()]).toEqual([role.role, expect.not.stringContaining('permission denied')]);
}, 90_000);
