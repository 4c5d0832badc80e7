import { expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tempFolder } from '../../harness/temp-folder.ts';
import { startUp } from './running-up.ts';

test('a door whose port is taken ends up with one sentence before anything is started', async () => {
  using temp = tempFolder('up');
  const dataDir = join(temp.path, 'data');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await using refused = startUp(dataDir, { TRIBUTARY_MQTT_PORT: String(port) });
  expect(await refused.exited).not.toBe(0);
  expect(refused.output().trim()).toBe(
    `error: Port ${port} is taken: stop what listens there, or set TRIBUTARY_MQTT_PORT (--mqtt-port) to a free port.`,
  );
  expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
  server.close();
});

test('a data folder of a newer version ends up with one sentence', async () => {
  using temp = tempFolder('up');
  writeFileSync(join(temp.path, 'version'), '2\n');
  await using refused = startUp(temp.path);
  expect(await refused.exited).not.toBe(0);
  expect(refused.output()).toMatch(/^error: \S+ was written by a newer version \(format 2, [^\n]*\n$/);
});

test('an unknown setting ends up with one sentence, before it touches the data folder', async () => {
  using temp = tempFolder('up');
  const dataDir = join(temp.path, 'data');
  await using refused = startUp(dataDir, { TRIBUTARY_HTTP_PROT: '8080' });
  expect(await refused.exited).toBe(78);
  expect(refused.output()).toMatch(/^error: TRIBUTARY_HTTP_PROT: no such setting\. [^\n]*\n$/);
  expect(existsSync(dataDir)).toBe(false);
});

test('a database that is not there ends up with one sentence that names it, without its password', async () => {
  using temp = tempFolder('up');
  const named = { DATABASE_URL: 'postgres://app:hunter2@127.0.0.1:1/telemetry' };
  await using refused = startUp(join(temp.path, 'data'), named);
  expect(await refused.exited).toBe(1);
  expect(refused.output().trim().split('\n').at(-1)).toBe(
    'error: cannot use PostgreSQL at 127.0.0.1:1/telemetry (DATABASE_URL): nothing listens there. Start it, or correct DATABASE_URL.',
  );
  expect(refused.output()).not.toContain('hunter2');
});

test('a nats-server that is too old ends up with one sentence that says how to get another', async () => {
  using temp = tempFolder('up');
  const program = join(temp.path, 'nats-server');
  writeFileSync(program, '#!/bin/sh\necho nats-server: v2.1.9\n', { mode: 0o755 });
  const PATH = `${temp.path}:${process.env.PATH}`;
  await using refused = startUp(join(temp.path, 'data'), { PATH });
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toMatch(/^error: \S+ is 2\.1\.9, 2\.9\.0 or newer is needed\. Debian: [^\n]*\n$/);
});

test('an address that is none ends up with one sentence before anything is started', async () => {
  using temp = tempFolder('up');
  const dataDir = join(temp.path, 'data');
  await using refused = startUp(dataDir, { DATABASE_URL: 'mysql://app:hunter2@db/telemetry' });
  expect(await refused.exited).toBe(78);
  expect(refused.output()).toMatch(/^error: DATABASE_URL is not an address like postgres:[^\n]*\n$/);
  expect(refused.output()).not.toContain('hunter2');
  expect(existsSync(dataDir)).toBe(false);
});
