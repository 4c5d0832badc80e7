import { afterAll, beforeAll, expect, test } from 'bun:test';
import { hashToken } from '../../src/model/token.ts';
import { findKey } from '../../src/store/console/find-key.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { runInProcess } from './in-process.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await cli('tenant', 'add', 'acme');
});
afterAll(() => database[Symbol.asyncDispose]());

const cli = (...args: string[]) => runInProcess(args, { DATABASE_URL: database.url });

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await cli(...args, '--json');
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const found = (key: string) => findKey(database.pool, hashToken(key));

test('a key is shown once, belongs to its tenant with its level, and ends when it is revoked', async () => {
  const made = (await json('key', 'add', 'acme', 'dash', '--level', 'write')) as { key: string };
  expect(made).toMatchObject({ tenant_id: 'acme', name: 'dash', level: 'write', expires_at: null });
  expect(made.key).toStartWith('trk_');
  expect(await found(made.key)).toMatchObject({ kind: 'tenant', tenantId: 'acme', level: 'write' });
  const listed = await cli('key', 'list', 'acme');
  expect(listed.stdout).toMatch(/dash +write +.*valid/);
  expect(listed.stdout).not.toContain(made.key);
  expect(await json('key', 'revoke', 'acme', 'dash')).toMatchObject({ revoked_at: expect.any(String) });
  expect(await found(made.key)).toBeUndefined();
  expect((await cli('key', 'list', 'acme')).stdout).toMatch(/dash +write +.*revoked/);
});

test('a key ends with its time, and is for reading unless told otherwise', async () => {
  const made = (await json('key', 'add', 'acme', 'short', '--expires', '1h')) as {
    key: string;
    level: string;
  };
  expect(made.level).toBe('read');
  expect(await found(made.key)).toBeDefined();
  await database.pool.query(`update tenant_keys set expires_at = now() where name = 'short'`);
  expect(await found(made.key)).toBeUndefined();
  expect((await cli('key', 'list', 'acme')).stdout).toMatch(/short +read +.*ended/);
});

test.each([
  ['a tenant that is not there', ['key', 'add', 'nobody', 'x'], 'There is no tenant nobody'],
  ['a level that is none', ['key', 'add', 'acme', 'x', '--level', 'root'], 'Give one of read, write, admin'],
  ['a name that is none', ['key', 'add', 'acme', '-x'], ''],
  ['a key that is not there', ['key', 'revoke', 'acme', 'never'], 'Tenant acme has no key never'],
] as const)('%s is refused in a sentence', async (_what, args, sentence) => {
  const { code, stderr } = await cli(...args);
  expect(code).not.toBe(0);
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain('    at ');
});

test('two valid keys do not have one name', async () => {
  await json('key', 'add', 'acme', 'twice');
  expect((await cli('key', 'add', 'acme', 'twice')).stderr).toContain('has a key twice already');
});
