import { afterAll, beforeAll, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRouteSecrets, type RouteSecrets } from '../../../src/model/route-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../../harness/postgres.ts';
import type { CliResult } from '../../harness/role-process.ts';
import { tempFolder } from '../../harness/temp-folder.ts';
import { databaseText } from '../database-text.ts';
import { runInProcess } from '../in-process.ts';

const key = randomBytes(32);
const hook = 'https://example.org/hook';

let database: TestDatabase;
let folder: ReturnType<typeof tempFolder>;
beforeAll(async () => {
  folder = tempFolder('routes');
  database = await createTestDatabase();
  await database.pool.query(`insert into tenants (tenant_id) values ('acme')`);
});
afterAll(async () => {
  folder.remove();
  await database[Symbol.asyncDispose]();
});

function cli(...args: string[]): Promise<CliResult> {
  return runInProcess(args, {
    DATABASE_URL: database.url,
    TRIBUTARY_DATA_DIR: folder.path,
    TRIBUTARY_SECRETS_KEY: key.toString('base64'),
  });
}

async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli(...args, '--json');
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

async function secretsOf(name: string): Promise<RouteSecrets> {
  const { rows } = await database.pool.query<{ secrets: Buffer }>(
    'select secrets from routes where name = $1',
    [name],
  );
  return openRouteSecrets(rows[0]?.secrets ?? Buffer.alloc(0), key, 'acme', name);
}

const file = (name: string, text: string) => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};

test('a tenant has as many routes as it may, and the refusal says what to do', async () => {
  await database.pool.query(`insert into tenants (tenant_id) values ('small')`);
  const add = (name: string) =>
    cli('route', 'add', 'small', name, '--nats', 'out.small.x', '--routes-per-tenant', '2');
  expect((await add('one')).code).toBe(0);
  expect((await add('two')).code).toBe(0);
  const third = await add('three');
  expect(third.code).not.toBe(0);
  expect(third.stderr).toContain('Tenant small has 2 routes, and may have no more');
  expect(third.stderr).toContain('TRIBUTARY_ROUTES_PER_TENANT');
  // What is wrong with this one is its name.
  expect((await add('two')).stderr).toContain('has a route two already');
});

test('a webhook gets a signing secret that is shown once and stored sealed', async () => {
  const { code, stdout } = await cli('route', 'add', 'acme', 'first', '--webhook', hook);
  expect(code).toBe(0);
  const secret = /^ {2}signing secret {2}(whsec_\S+)$/m.exec(stdout)?.[1] ?? '';
  expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
  expect(await secretsOf('first')).toEqual({ signing_secrets: [secret] });
  expect(await databaseText(database.pool)).not.toContain(secret.slice(6));
  const elsewhere = [
    await cli('route', 'show', 'acme', 'first'),
    await cli('route', 'show', 'acme', 'first', '--json'),
    await cli('route', 'list', '--json'),
  ];
  for (const each of elsewhere) expect(each.stdout).not.toContain(secret.slice(6));
  expect(elsewhere[0]?.stdout).toMatch(/^secrets +signed$/m);
});

test('everything about a route can be given, and comes out in the words of the tables', async () => {
  const made = await json(
    ...['route', 'add', 'acme', 'full', '--webhook', hook, '--method', 'put', '--header', 'X-From: here'],
    ...['--filter', 'tenant/acme/device/+/telemetry', '--condition', 'metrics.temp > 30.0', '--on', 'both'],
    ...['--batch', '50', '--batch-wait', '2s', '--rate', '5', '--burst', '9', '--disabled', '--unsigned'],
  );
  expect(made).toMatchObject({
    tenant_id: 'acme',
    name: 'full',
    topic_filter: 'tenant/acme/device/+/telemetry',
    condition: 'metrics.temp > 30.0',
    fires_on: ['message', 'status'],
    destination: {
      kind: 'webhook',
      url: hook,
      method: 'PUT',
      headers: { 'X-From': 'here' },
      batch: { max_messages: 50, max_wait_ms: 2_000 },
    },
    rate_per_second: 5,
    burst: 9,
    enabled: false,
    has_secrets: false,
  });
  expect(made).not.toHaveProperty('signing_secret');
  await json('route', 'add', 'acme', 'copy', '--nats', 'out.{tenant_id}.{device_id}');
  await json('route', 'add', 'acme', 'other', '--mqtt', 'a/{device_id}', '--broker', 'mqtts://example.org');
  expect(await json('route', 'show', 'acme', 'other')).toMatchObject({
    destination: { kind: 'mqtt', url: 'mqtts://example.org', topic: 'a/{device_id}' },
    waiting: { outbox: 0, routes: 0, schedule: 0 },
    matched: 0,
  });
});

test('secrets come from files and standard input, never as arguments', async () => {
  const own = `whsec_${randomBytes(24).toString('base64')}`;
  const headers = file('headers', 'Authorization: Bearer abc\nX-Key: k\n');
  const signing = file('signing', `${own}\n`);
  await json(
    ...['route', 'add', 'acme', 'brought', '--webhook', hook],
    ...['--signing-secret', signing, '--secret-headers', headers],
  );
  expect(await secretsOf('brought')).toEqual({
    signing_secrets: [own],
    headers: { Authorization: 'Bearer abc', 'X-Key': 'k' },
  });
  expect((await cli('route', 'show', 'acme', 'brought')).stdout).toMatch(
    /^secrets +signed; headers Authorization, X-Key$/m,
  );
  const literal = await cli('route', 'add', 'acme', 'x', '--webhook', hook, '--signing-secret', own);
  expect(literal.code).toBe(1);
  expect(literal.stderr).toContain('the list of processes would show it');
  const bad = await cli(
    ...['route', 'add', 'acme', 'x', '--webhook', hook],
    ...['--signing-secret', file('bad', 'whsec_c2hvcnQ=')],
  );
  expect([bad.code, bad.stderr]).toEqual([
    2,
    'error: A signing secret is whsec_ and base64 of 24 to 64 bytes.\n',
  ]);
});

test('without a key a command says what to do; the key in the folder of up is found', async () => {
  const args = ['route', 'add', 'acme', 'keyless', '--webhook', hook];
  const without = await runInProcess(args, { DATABASE_URL: database.url, TRIBUTARY_DATA_DIR: folder.path });
  expect(without.code).toBe(78);
  expect(without.stderr).toContain('TRIBUTARY_SECRETS_KEY is not set: make one with openssl rand -base64 32');
  file('secrets-key', `${key.toString('base64')}\n`);
  const urls = { natsUrl: '', httpUrl: '', mqttUrl: '', consoleUrl: '' };
  const instance = { pid: 1, databaseUrl: database.url, ...urls };
  const path = file('instance.json', JSON.stringify({ ...instance, operatorKeyFile: '' }));
  try {
    expect((await runInProcess(args, { TRIBUTARY_DATA_DIR: folder.path })).code).toBe(0);
    expect((await secretsOf('keyless')).signing_secrets).toHaveLength(1);
    // Another installation's key, as far as anybody can tell.
    file(
      'instance.json',
      JSON.stringify({ ...instance, databaseUrl: 'postgres://x/y', operatorKeyFile: '' }),
    );
    const other = await runInProcess(['route', 'rotate', 'acme', 'keyless'], {
      DATABASE_URL: database.url,
      TRIBUTARY_DATA_DIR: folder.path,
    });
    expect(other.code).toBe(78);
  } finally {
    await Bun.file(path).delete();
  }
});

test.each([
  ['a condition', ['--condition', 'msg_type == "telemetry" && metric.temp > 3.0'], 'metric.temp > 3.0', 27],
  ['a topic filter', ['--filter', 'tenant/acme/dev+/x'], '+/x', 15],
  ['a template', ['--nats', 'out.{tenant_id}.{devise}'], '{devise}', 16],
])('%s that is wrong is refused with the place marked', async (_what, options, rest, column) => {
  const webhook = options.includes('--nats') ? [] : ['--webhook', hook];
  const { code, stderr } = await cli('route', 'add', 'acme', 'wrong', ...webhook, ...options);
  expect(code).toBe(2);
  const [sentence, line, mark] = stderr.split('\n');
  expect(sentence).toStartWith('error: ');
  expect(line?.slice(2 + column)).toBe(rest);
  expect(mark).toBe(`${' '.repeat(2 + column)}^`);
});

test('what does not fit together is a usage error', async () => {
  const refusal = async (...options: string[]) => {
    const { code, stderr } = await cli('route', 'add', 'acme', 'wrong', ...options);
    expect(code).toBe(2);
    return stderr;
  };
  expect(await refusal()).toContain('--webhook <url>, --mqtt <topic>, --nats <subject>');
  expect(await refusal('--webhook', hook, '--nats', 'out.acme.x')).toContain('one of --webhook');
  expect(await refusal('--nats', 'out.acme.x', '--batch', '5')).toContain('--batch is of a webhook');
  expect(await refusal('--webhook', 'ftp://x')).toContain('"ftp://x" is no address');
  expect(await refusal('--mqtt', 'tenant/acme/device/a/telemetry')).toContain('would come in again');
  expect(await refusal('--webhook', hook, '--header', 'Host: x')).toContain('set by Tributary itself');
});

test('what exists already or is missing is said with the remedy', async () => {
  await json('route', 'add', 'acme', 'twice', '--nats', 'out.acme.x');
  const twice = await cli('route', 'add', 'acme', 'twice', '--nats', 'out.acme.x');
  expect([twice.code, twice.stderr]).toEqual([
    1,
    expect.stringContaining('change it with `tributary route update`'),
  ]);
  expect((await cli('route', 'add', 'nobody', 'x', '--nats', 'out.nobody.x')).stderr).toContain(
    'add it with `tributary tenant add nobody`',
  );
  expect((await cli('route', 'show', 'acme', 'none')).stderr).toContain('route list --tenant acme');
  expect((await cli('route', 'remove', 'nobody', 'x')).stderr).toContain('There is no tenant nobody');
});

test('an address that is not public is said at once', async () => {
  const { code, stderr } = await cli('route', 'add', 'acme', 'local', '--webhook', 'http://127.0.0.1:9/');
  expect(code).toBe(0);
  expect(stderr).toBe(
    'Note: 127.0.0.1 is loopback. Delivery sends there only if its processes were started with ' +
      'TRIBUTARY_ALLOW_DESTINATIONS allowing it; what is set for this command does not count.\n',
  );
});

test('update changes what is named and leaves the rest, also the secrets without a key', async () => {
  await json('route', 'add', 'acme', 'changing', '--webhook', hook, '--condition', 'metrics.a > 1.0');
  const before = await secretsOf('changing');
  const keyless = await runInProcess(
    ['route', 'update', 'acme', 'changing', '--condition', 'none', '--rate', '7'],
    { DATABASE_URL: database.url },
  );
  expect(keyless).toMatchObject({ code: 0, stdout: 'Changed route changing of tenant acme.\n' });
  expect(await json('route', 'show', 'acme', 'changing')).toMatchObject({
    condition: null,
    rate_per_second: 7,
    destination: { kind: 'webhook', url: hook },
  });
  expect(await secretsOf('changing')).toEqual(before);
  await json('route', 'update', 'acme', 'changing', '--nats', 'out.acme.x', '--rate', 'default');
  expect(await json('route', 'show', 'acme', 'changing')).toMatchObject({
    destination: { kind: 'nats', subject: 'out.acme.x' },
    has_secrets: false,
    rate_per_second: null,
  });
  const back = await json('route', 'update', 'acme', 'changing', '--webhook', hook);
  expect(back.signing_secret).toStartWith('whsec_');
  expect((await cli('route', 'update', 'acme', 'changing', '--condition', '1 +')).code).toBe(2);
});

test('rotate signs with both secrets, and finish with the new one', async () => {
  const { signing_secret: first } = await json('route', 'add', 'acme', 'rotating', '--webhook', hook);
  const { signing_secret: second } = await json('route', 'rotate', 'acme', 'rotating');
  expect((await secretsOf('rotating')).signing_secrets).toEqual([second, first] as string[]);
  expect((await cli('route', 'show', 'acme', 'rotating')).stdout).toContain('signed with 2 secrets');
  await json('route', 'rotate', 'acme', 'rotating', '--finish');
  expect((await secretsOf('rotating')).signing_secrets).toEqual([second] as string[]);
  await json('route', 'add', 'acme', 'subject', '--nats', 'out.acme.x');
  expect((await cli('route', 'rotate', 'acme', 'subject')).stderr).toContain('is no webhook');
});

test('a route is turned off with a reason, on again, and removed', async () => {
  await json('route', 'add', 'acme', 'switched', '--nats', 'out.acme.x');
  await cli('route', 'disable', 'acme', 'switched', '--reason', 'they move');
  expect((await cli('route', 'show', 'acme', 'switched')).stdout).toMatch(/^state +off: they move$/m);
  await cli('route', 'enable', 'acme', 'switched');
  expect(await json('route', 'show', 'acme', 'switched')).toMatchObject({
    enabled: true,
    disabled_reason: null,
  });
  expect((await cli('route', 'remove', 'acme', 'switched')).stdout).toBe(
    'Removed route switched of tenant acme.\n',
  );
  expect((await cli('route', 'show', 'acme', 'switched')).code).toBe(1);
});

test('lists fit 80 columns but for destinations, which are whole, and say what to do where there is nothing', async () => {
  await database.pool.query(`insert into tenants (tenant_id) values ('empty')`);
  expect((await cli('route', 'list', '--tenant', 'empty')).stderr).toContain('route add');
  const { stdout } = await cli('route', 'list');
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(4);
  const to = lines[0]?.indexOf('TO') ?? 0;
  expect(to).toBeLessThan(70);
  expect(lines.map((line) => line.slice(to))).toContain('mqtts://example.org a/{device_id}');
  const broken = lines.filter((line) => Bun.stringWidth(line.slice(0, to)) !== to || line[to - 1] !== ' ');
  expect(broken).toEqual([]);
});
