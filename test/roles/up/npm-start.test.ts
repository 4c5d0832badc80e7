import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tempFolder } from '../../harness/temp-folder.ts';
import { until } from '../../harness/until.ts';

const projectRoot = resolve(import.meta.dir, '../../..');

/** A supervisor or `docker stop` signals the process that it started, not the whole group. */
test('SIGTERM to npm alone stops everything in order', async () => {
  using temp = tempFolder('npm-start');
  const dataDir = join(temp.path, 'data');
  const npm = Bun.spawn(['npm', 'start'], {
    cwd: projectRoot,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
    env: {
      ...process.env,
      TRIBUTARY_DATA_DIR: dataDir,
      TRIBUTARY_HTTP_PORT: '0',
      TRIBUTARY_MQTT_PORT: '0',
      TRIBUTARY_CONSOLE_PORT: '0',
    },
  });
  let output = '';
  const collected = (async () => {
    for await (const chunk of npm.stdout.pipeThrough(new TextDecoderStream())) output += chunk;
  })();
  await until(() => output.includes('Tributary is running.'), { what: 'npm start', timeoutMs: 30_000 });
  const { pid } = JSON.parse(readFileSync(join(dataDir, 'lock'), 'utf8'));
  npm.kill('SIGTERM');
  await npm.exited;
  const gone = until(() => !isAlive(pid), { what: 'up ends with npm', timeoutMs: 15_000 });
  await gone.catch((error: unknown) => {
    process.kill(pid, 'SIGTERM');
    throw error;
  });
  // The pipe closes when the last process that writes to it has ended.
  await collected;
  expect(output.split('\n').filter((line) => line.startsWith('● stopping'))).toHaveLength(5);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
