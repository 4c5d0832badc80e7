import { expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tempFolder } from './harness/temp-folder.ts';
import { watchCommand } from './harness/watched-command.ts';

const projectRoot = resolve(import.meta.dir, '..');

function run(cwd: string, command: readonly string[], env: Record<string, string>): string {
  const child = Bun.spawnSync([...command], { cwd, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  if (child.exitCode !== 0)
    throw new Error(`${command.join(' ')} ended with ${child.exitCode}: ${child.stderr}`);
  return child.stdout.toString();
}

/** The newcomer's path: a clone with nothing in it, `npm start`, and the commands that the README names next. */
test('in a fresh clone npm start installs what is missing, runs, and installs again when the lock file changed', async () => {
  using temp = tempFolder('newcomer');
  const clone = join(temp.path, 'tributary');
  const env = {
    ...(process.env as Record<string, string>),
    TRIBUTARY_DATA_DIR: join(temp.path, 'data'),
    TRIBUTARY_HTTP_PORT: '0',
    TRIBUTARY_MQTT_PORT: '0',
    TRIBUTARY_CONSOLE_PORT: '0',
  };
  run(temp.path, ['git', 'clone', '--quiet', projectRoot, clone], env);
  expect(existsSync(join(clone, 'node_modules'))).toBe(false);

  const first = await startAndStop(clone, env, () => {
    expect(run(clone, ['bin/tributary', 'device', 'list', '--tenant', 'demo'], env)).toContain('demo-1');
    expect(JSON.parse(run(clone, ['bin/tributary', 'status', '--json'], env))).toBeObject();
  });
  expect(first).toContain('installing npm packages');
  expect(await startAndStop(clone, env)).not.toContain('installing npm packages');

  // As if the lock file had been pulled with another version of a package than is installed.
  const installed = join(clone, 'node_modules', '.package-lock.json');
  const record = JSON.parse(readFileSync(installed, 'utf8'));
  record.packages['node_modules/pino'].version = '0.0.1';
  writeFileSync(installed, JSON.stringify(record));
  expect(await startAndStop(clone, env)).toContain('installing npm packages');
}, 180_000);

/** @returns everything that npm start printed */
async function startAndStop(
  clone: string,
  env: Record<string, string>,
  whileRunning?: () => void,
): Promise<string> {
  const npm = watchCommand(['npm', 'start'], { cwd: clone, env });
  try {
    await npm.prints('Tributary is running.', 90_000);
    whileRunning?.();
  } finally {
    await npm.stop();
  }
  return npm.output();
}
