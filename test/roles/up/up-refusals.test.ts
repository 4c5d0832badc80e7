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
