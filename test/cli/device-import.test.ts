import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { type CliResult, runTributary } from '../harness/role-process.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { databaseText } from './database-text.ts';

const folder = tempFolder('import');
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await cli('tenant', 'add', 'acme');
  await cli('tenant', 'add', 'other');
});
afterAll(async () => {
  folder.remove();
  await database[Symbol.asyncDispose]();
});

function cli(...args: string[]): Promise<CliResult> {
  return runTributary(args, { DATABASE_URL: database.url });
}

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

async function devices(tenantId: string): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `select device_id, site_id, encode(token_sha256, 'hex') as token, rate_per_second, burst, max_sensors
     from devices where tenant_id = $1 order by device_id`,
    [tenantId],
  );
  return rows;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('devices come in with their tokens, hashes, limits and tenants', async () => {
  const path = file(
    'whole.csv',
    `\uFEFFdevice_id,site_id,tenant_id,token,token_sha256,rate_per_second,burst,max_sensors\r\n` +
      `d1,"Plant 1, hall ""A""",other,tok,,2.5,10,4\r\n` +
      `d2,s2,other,,${sha256('known')},,,\r\n`,
  );
  const { code, stdout, stderr } = await cli('device', 'import', path);
  expect({ code, stdout, progress: stderr }).toEqual({
    code: 0,
    stdout: `${path}: 2 added.\n`,
    progress: 'importing: 2 of 2 (100 %)\n',
  });
  expect(await devices('other')).toEqual([
    {
      device_id: 'd1',
      site_id: 'Plant 1, hall "A"',
      token: sha256('tok'),
      rate_per_second: 2.5,
      burst: 10,
      max_sensors: 4,
    },
    {
      device_id: 'd2',
      site_id: 's2',
      token: sha256('known'),
      rate_per_second: null,
      burst: null,
      max_sensors: null,
    },
  ]);
});

test('every bad line is named with its value, never its token, and nothing is imported', async () => {
  const path = file(
    'bad.csv',
    [
      'device_id,site_id,token,token_sha256,burst',
      'fine,s1,tok,,5',
      'bad id,s1,tok,,',
      'no-site,,tok,,',
      'fine,s1,tok,,',
      'bad-token,s1,se cret,,',
      'both,s1,tok,00,',
      'short,s1,,abc,',
      'burst,s1,tok,,many',
    ].join('\n'),
  );
  const { code, stdout, stderr } = await cli('device', 'import', path, '--tenant', 'acme');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(
    [
      `error: ${path}: 7 of 8 lines cannot be imported, so nothing was:`,
      '  line 3: device_id "bad id" is not 1 to 128 of A-Z a-z 0-9 . _ : -.',
      '  line 4: site_id "" does not have 1 to 128 characters.',
      '  line 5: device fine is in line 2 already.',
      '  line 6: the token must be of visible ASCII characters, without spaces.',
      '  line 7: it has both a token and a token_sha256.',
      '  line 8: token_sha256 "abc" is not 64 hex digits.',
      '  line 9: burst "many" is not a whole number from 1 to 100000000.',
      '',
    ].join('\n'),
  );
  expect(await devices('acme')).toEqual([]);
});

test.each([
  [
    'no usable header',
    'device,site\nd,s\n',
    'the first line names no column device_id, site_id; columns are tenant_id,',
  ],
  ['an unknown column', 'device_id,site_id,colour\nd,s,red\n', 'there is no column "colour"'],
  ['an open quote', 'device_id,site_id\nd,"s\n', 'at line 2'],
  ['too many cells', 'device_id,site_id\nd,s,x\n', 'on line 2'],
  ['no tenant', 'device_id,site_id\nd,s\n', 'line 2: it names no tenant_id; --tenant gives one'],
  ['no device', 'device_id,site_id,tenant_id\n', 'there is no device after the header line'],
  ['an unknown tenant', 'device_id,site_id,tenant_id,token\nd,s,nobody,t\n', 'There is no tenant nobody'],
  [
    'devices without tokens',
    'device_id,site_id,tenant_id\nd,s,acme\n',
    'name a file for new ones with --tokens-out',
  ],
])('a file with %s is refused in words', async (_what, text, sentence) => {
  const { code, stderr } = await cli('device', 'import', file('odd.csv', text));
  expect(code).toBe(1);
  expect(stderr).toContain(sentence);
});

test('a file that is not there is refused in words', async () => {
  const { code, stderr } = await cli('device', 'import', join(folder.path, 'nothing.csv'));
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `error: cannot read ${join(folder.path, 'nothing.csv')}: there is no such file.\n`,
  });
});

test('new tokens go to a file of their own, for new devices only, and nowhere else', async () => {
  const rows = Array.from({ length: 2_500 }, (_, index) => `many-${index},site`);
  const path = file('many.csv', ['device_id,site_id', ...rows].join('\n'));
  await cli('device', 'add', 'acme', 'many-0', '--site', 'site', '--token', 'mine');
  const out = join(folder.path, 'tokens.csv');
  const first = await cli('device', 'import', path, '--tenant', 'acme', '--tokens-out', out, '--json');
  expect(JSON.parse(first.stdout)).toEqual({
    added: 2_499,
    updated: 0,
    unchanged: 1,
    new_tokens: 2_499,
    complete: true,
  });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  const [header, ...lines] = readFileSync(out, 'utf8').trim().split('\n');
  expect(header).toBe('tenant_id,device_id,site_id,token');
  expect(lines).toHaveLength(2_499);
  const tokens = new Map(lines.map((line) => [line.split(',')[1], line.split(',')[3] ?? '']));
  for (const row of await devices('acme')) {
    const token = tokens.get(String(row.device_id)) ?? 'mine';
    expect(row.token).toBe(sha256(token));
  }
  const stored = await databaseText(database.pool);
  expect([...tokens.values()].filter((token) => stored.includes(token))).toEqual([]);

  const taken = await cli('device', 'import', path, '--tenant', 'acme', '--tokens-out', out);
  expect(taken.stderr).toContain('tokens.csv exists already');
  const unused = join(folder.path, 'unused.csv');
  const again = await cli('device', 'import', path, '--tenant', 'acme', '--tokens-out', unused);
  expect(again.stdout).toContain('0 added, 2,500 registered already and left as they were.');
  expect(existsSync(unused)).toBe(false);
}, 30_000);

test('--update changes registered devices and keeps the token that the file does not bring', async () => {
  await cli('device', 'add', 'acme', 'moved', '--site', 'here', '--token', 'kept');
  const path = file('moved.csv', 'device_id,site_id\nmoved,there\n');
  const { stdout } = await cli('device', 'import', path, '--tenant', 'acme', '--update', '--no-tokens');
  expect(stdout).toBe(`${path}: 0 added, 1 updated.\n`);
  const moved = (await devices('acme')).find((row) => row.device_id === 'moved');
  expect(moved).toMatchObject({ site_id: 'there', token: sha256('kept') });
});
