import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeInstance } from '../../src/roles/up/instance.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { runTributary } from '../harness/role-process.ts';
import { tempFolder } from '../harness/temp-folder.ts';

const folder = tempFolder('locate');
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  writeInstance(join(folder.path, 'instance.json'), {
    pid: process.pid,
    natsUrl: 'nats://tributary:pw@127.0.0.1:1',
    databaseUrl: database.url,
    httpUrl: 'http://127.0.0.1:9081',
    mqttUrl: 'mqtt://127.0.0.1:9883',
    consoleUrl: 'http://127.0.0.1:9890',
    operatorKeyFile: join(folder.path, 'operator-key'),
  });
});
afterAll(async () => {
  folder.remove();
  await database[Symbol.asyncDispose]();
});

test('a command finds the database of the running instance, and its gateway for the line to paste', async () => {
  const env = { TRIBUTARY_DATA_DIR: folder.path };
  expect((await runTributary(['tenant', 'add', 'acme'], env)).code).toBe(0);
  const added = await runTributary(['device', 'add', 'acme', 'd1', '--site', 's1'], env);
  expect(added.stdout).toContain('http://127.0.0.1:9081/ingest/v1/tenant/acme/device/d1/telemetry');
  expect((await database.pool.query('select from devices')).rowCount).toBe(1);
});

test('--data-dir names the instance, too', async () => {
  const { code } = await runTributary(['tenant', 'list', '--data-dir', folder.path], {});
  expect(code).toBe(0);
});

test('DATABASE_URL wins over the running instance', async () => {
  const env = { TRIBUTARY_DATA_DIR: folder.path, DATABASE_URL: 'postgres://127.0.0.1:1/other' };
  const { code, stderr } = await runTributary(['tenant', 'list'], env);
  expect(code).toBe(69);
  expect(stderr).toContain('127.0.0.1:1/other (from DATABASE_URL)');
});

test('an instance whose server has gone is named by its file, without its password', async () => {
  const { code, stderr } = await runTributary(['topology'], { TRIBUTARY_DATA_DIR: folder.path });
  expect(code).toBe(69);
  expect(stderr).toContain('127.0.0.1:1');
  expect(stderr).not.toContain('pw');
});

test('an instance file that cannot be read says so', async () => {
  using other = tempFolder('locate-broken');
  writeFileSync(join(other.path, 'instance.json'), '{"pid":');
  const { code, stderr } = await runTributary(['tenant', 'list'], { TRIBUTARY_DATA_DIR: other.path });
  expect(code).toBe(1);
  expect(stderr).toContain(`${join(other.path, 'instance.json')} cannot be read`);
});
