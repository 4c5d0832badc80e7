import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { type CliResult, runTributary } from '../harness/role-process.ts';
import { databaseText } from './database-text.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  expect((await cli('tenant', 'add', 'acme', '--name', 'Acme Ltd')).code).toBe(0);
});
afterAll(() => database[Symbol.asyncDispose]());

function cli(...args: string[]): Promise<CliResult> {
  return runTributary(args, { DATABASE_URL: database.url });
}

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await cli(...args, '--json');
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

async function tokenOf(...args: string[]): Promise<string> {
  const shown = (await json(...args)) as { readonly token: string };
  return shown.token;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('device add --json prints exactly the ids, the site and the token, once, and keeps only its SHA-256', async () => {
  const { stdout, stderr } = await cli('device', 'add', 'acme', 'd1', '--site', 's1', '--json');
  expect(stderr).toBe('');
  const shown = JSON.parse(stdout) as { readonly token: string };
  expect(stdout).toBe(`{"tenant_id":"acme","device_id":"d1","site_id":"s1","token":"${shown.token}"}\n`);
  expect(shown.token).toMatch(/^trb_[0-9A-Za-z]{49}$/);
  const stored = await databaseText(database.pool);
  expect(stored).toContain(sha256(shown.token));
  expect(stored).not.toContain(shown.token);
  const elsewhere = [await cli('device', 'show', 'acme', 'd1'), await cli('device', 'list', '--json')];
  for (const each of elsewhere) expect(each.stdout).not.toContain(shown.token);
});

test('device add shows people the token and a line to paste', async () => {
  const { code, stdout } = await cli('device', 'add', 'acme', 'd2', '--site', 's1');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}token {2}trb_[0-9A-Za-z]{49}$/m);
  expect(stdout).toContain('/ingest/v1/tenant/acme/device/d2/telemetry');
});

test('a token that the device has already can be brought, also over standard input', async () => {
  expect(await tokenOf('device', 'add', 'acme', 'old-1', '--site', 's1', '--token', 'test-token')).toBe(
    'test-token',
  );
  const child = Bun.spawn(
    [
      process.execPath,
      'src/cli/main.ts',
      'device',
      'add',
      'acme',
      'old-2',
      '--site',
      's1',
      '--token',
      '-',
      '--json',
    ],
    {
      env: { PATH: process.env.PATH, DATABASE_URL: database.url },
      stdin: new Blob(['from-stdin\n']),
      stdout: 'pipe',
    },
  );
  expect(JSON.parse(await new Response(child.stdout).text())).toMatchObject({ token: 'from-stdin' });
  await child.exited;
  const stored = await databaseText(database.pool);
  expect(stored).toContain(sha256('test-token'));
  expect(stored).toContain(sha256('from-stdin'));
});

test('a token that cannot be a header is a usage error', async () => {
  const { code, stderr } = await cli('device', 'add', 'acme', 'd9', '--site', 's1', '--token', 'a b');
  expect(code).toBe(2);
  expect(stderr).toBe('error: the token must be of visible ASCII characters, without spaces.\n');
});

test('what exists already or is missing is said with the remedy, exit code 1', async () => {
  await cli('device', 'add', 'acme', 'twice', '--site', 's1');
  const twice = await cli('device', 'add', 'acme', 'twice', '--site', 's1');
  expect(twice.code).toBe(1);
  expect(twice.stderr).toContain('Tenant acme has a device twice already');
  const stranger = await cli('device', 'add', 'nobody', 'd1', '--site', 's1');
  expect(stranger.code).toBe(1);
  expect(stranger.stderr).toContain('add it with `tributary tenant add nobody`');
  expect((await cli('device', 'show', 'acme', 'nothing')).code).toBe(1);
  expect((await cli('tenant', 'add', 'acme')).code).toBe(1);
});

test('rotate gives a new token and keeps the old one for the grace that is asked for', async () => {
  const first = await tokenOf('device', 'add', 'acme', 'rotated', '--site', 's1');
  const shown = (await json('device', 'rotate', 'acme', 'rotated', '--grace', '24h')) as {
    readonly token: string;
    readonly previous_token_until: string;
  };
  expect(shown.token).not.toBe(first);
  expect(Date.parse(shown.previous_token_until) - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
  const { rows } = await database.pool.query(
    `select encode(token_sha256, 'hex') as now, encode(previous_token_sha256, 'hex') as before
     from devices where device_id = 'rotated'`,
  );
  expect(rows).toEqual([{ now: sha256(shown.token), before: sha256(first) }]);
  const again = await cli('device', 'rotate', 'acme', 'rotated');
  expect(again.stdout).toContain('The old token is no longer valid.');
});

test('a revoked device is listed as revoked; a deleted one is gone', async () => {
  await cli('device', 'add', 'acme', 'leaving', '--site', 's1');
  expect((await cli('device', 'revoke', 'acme', 'leaving')).stdout).toBe(
    'Revoked device leaving of tenant acme.\n',
  );
  expect((await cli('device', 'show', 'acme', 'leaving')).stdout).toMatch(/^status +REVOKED$/m);
  const deleted = await cli('device', 'delete', 'acme', 'leaving', '--with-data');
  expect(deleted.stdout).toBe('Deleted device leaving of tenant acme and 0 readings.\n');
  expect((await cli('device', 'show', 'acme', 'leaving')).code).toBe(1);
});

test('limits can be set and taken away per tenant and per device', async () => {
  await cli('device', 'add', 'acme', 'limited', '--site', 's1');
  await cli('device', 'limits', 'acme', 'limited', '--rate', '50', '--burst', '200');
  expect(await json('device', 'limits', 'acme', 'limited')).toMatchObject({
    rate_per_second: 50,
    burst: 200,
  });
  await cli('device', 'limits', 'acme', 'limited', '--rate', 'default');
  expect(await json('device', 'limits', 'acme', 'limited')).toMatchObject({
    rate_per_second: null,
    burst: 200,
  });
  const set = await cli(
    'tenant',
    'limits',
    'acme',
    '--rate',
    '10000',
    '--burst',
    '40000',
    '--device-rate',
    '2.5',
  );
  expect(set.stdout).toBe('Tenant acme: 10,000/s, burst 40,000; each device: 2.5/s.\n');
  expect((await cli('tenant', 'limits', 'acme', '--rate', '-1')).code).toBe(2);
});

test('listings: a table for people, an array for programs, a hint where there is nothing', async () => {
  const { stdout } = await cli('tenant', 'list');
  expect(stdout.split('\n')[0]).toMatch(/^TENANT {2}NAME +DEVICES {2}LIMIT +EACH DEVICE {2}ADDED$/);
  expect(await json('tenant', 'list')).toMatchObject([{ tenant_id: 'acme', name: 'Acme Ltd' }]);
  const offline = await cli('device', 'list', '--tenant', 'acme', '--status', 'offline');
  expect(offline.code).toBe(0);
  expect(offline.stderr).toContain('Register one: tributary device add');
  const devices = (await json('device', 'list', '--limit', '2')) as unknown[];
  expect(devices).toHaveLength(2);
});

test('an operator key is shown once, listed, and taken out of use', async () => {
  const { key } = (await json('operator-key', 'add', 'alice')) as { readonly key: string };
  expect(key).toMatch(/^trbop_/);
  expect(await databaseText(database.pool)).not.toContain(key);
  expect((await cli('operator-key', 'add', 'alice')).code).toBe(1);
  expect(await json('operator-key', 'list')).toMatchObject([{ name: 'alice', revoked_at: null }]);
  await cli('operator-key', 'revoke', 'alice');
  expect((await cli('operator-key', 'list')).stdout).not.toMatch(/alice.*no$/m);
});

test('listing the devices of a tenant that there is not says so; of one without devices it does not', async () => {
  const none = await cli('device', 'list', '--tenant', 'nobody', '--json');
  expect([none.code, none.stdout]).toEqual([1, '']);
  expect(none.stderr).toContain('There is no tenant nobody: add it');
  expect((await cli('tenant', 'add', 'empty')).code).toBe(0);
  const empty = await cli('device', 'list', '--tenant', 'empty');
  expect([empty.code, empty.stdout]).toEqual([0, '']);
  expect(empty.stderr).toContain('No such devices.');
});
