import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TenantId } from '../../../src/model/identifiers.ts';
import { hashToken } from '../../../src/model/token.ts';
import { ensureDemoDevice, ensureOperatorKey } from '../../../src/roles/up/demo.ts';
import { addTenant } from '../../../src/store/registry/add-tenant.ts';
import { findOperatorKey } from '../../../src/store/registry/find-operator-key.ts';
import { revokeOperatorKey } from '../../../src/store/registry/revoke-operator-key.ts';
import { createTestDatabase, type TestDatabase } from '../../harness/postgres.ts';
import { tempFolder } from '../../harness/temp-folder.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  await database.pool.query('delete from devices; delete from tenants; delete from operator_keys');
});
afterAll(() => database[Symbol.asyncDispose]());

test('the first start registers a demo device, later ones show the same token', async () => {
  using temp = tempFolder('demo');
  const file = join(temp.path, 'demo.json');
  const first = await ensureDemoDevice(file, database.pool, randomBytes);
  expect(await ensureDemoDevice(file, database.pool, randomBytes)).toEqual(first);
  const { rows } = await database.pool.query('select tenant_id, device_id, token_sha256 from devices');
  expect(rows).toEqual([
    { tenant_id: 'demo', device_id: 'demo-1', token_sha256: hashToken(first?.token ?? '') },
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a deleted demo device does not come back', async () => {
  using temp = tempFolder('demo');
  const file = join(temp.path, 'demo.json');
  await ensureDemoDevice(file, database.pool, randomBytes);
  await database.pool.query('delete from devices');
  expect(await ensureDemoDevice(file, database.pool, randomBytes)).toBeUndefined();
  expect((await database.pool.query('select 1 from devices')).rowCount).toBe(0);
});

test('a start that was cut off before registering is completed with the same token', async () => {
  using temp = tempFolder('demo');
  const file = join(temp.path, 'demo.json');
  const first = await ensureDemoDevice(file, database.pool, randomBytes);
  await database.pool.query('delete from devices');
  writeFileSync(file, JSON.stringify({ ...first, registered: false }));
  expect(await ensureDemoDevice(file, database.pool, randomBytes)).toEqual(first);
  expect((await database.pool.query('select 1 from devices')).rowCount).toBe(1);
});

test('the demo tenant of another installation on the same database is left alone', async () => {
  using temp = tempFolder('demo');
  const file = join(temp.path, 'demo.json');
  await addTenant(database.pool, 'demo' as TenantId);
  expect(await ensureDemoDevice(file, database.pool, randomBytes)).toBeUndefined();
  expect(existsSync(file)).toBe(false);
  expect((await database.pool.query('select 1 from devices')).rowCount).toBe(0);
});

test('the operator key stays until it is revoked, then there is a new one', async () => {
  using temp = tempFolder('demo');
  const file = join(temp.path, 'operator-key');
  await ensureOperatorKey(file, database.pool, randomBytes);
  const first = readFileSync(file, 'utf8').trim();
  await ensureOperatorKey(file, database.pool, randomBytes);
  expect(readFileSync(file, 'utf8').trim()).toBe(first);
  const key = await findOperatorKey(database.pool, hashToken(first));
  await revokeOperatorKey(database.pool, key?.name ?? '');
  await ensureOperatorKey(file, database.pool, randomBytes);
  const second = readFileSync(file, 'utf8').trim();
  expect(second).not.toBe(first);
  expect(await findOperatorKey(database.pool, hashToken(second))).toBeDefined();
});
