import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { postgresBinaries } from '../src/roles/up/postgres-binaries.ts';
import { tempFolder } from './harness/temp-folder.ts';
import { until } from './harness/until.ts';
import { watchCommand } from './harness/watched-command.ts';

const projectRoot = resolve(import.meta.dir, '..');
const temp = tempFolder('single-executable');
afterAll(() => temp[Symbol.dispose]());
/** An empty folder on a machine with nats-server, PostgreSQL's programs and curl, but neither Node nor Bun. */
const folder = join(temp.path, 'empty');
const env = {
  HOME: temp.path,
  PATH: `${join(temp.path, 'programs')}:${postgresBinaries().bin}`,
  TRIBUTARY_HTTP_PORT: '0',
  TRIBUTARY_MQTT_PORT: '0',
  TRIBUTARY_CONSOLE_PORT: '0',
};

beforeAll(() => {
  mkdirSync(folder);
  mkdirSync(join(temp.path, 'programs'));
  for (const program of ['nats-server', 'curl', 'sh', 'env', 'setpriv', 'runuser', 'su']) {
    const found = Bun.which(program);
    if (found !== null) symlinkSync(found, join(temp.path, 'programs', program));
  }
  const built = Bun.spawnSync(['node', join(projectRoot, 'scripts/build.mjs'), join(folder, 'tributary')], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (!built.success) throw new Error(`npm run build failed: ${built.stderr}`);
}, 60_000);

function run(...command: string[]): string {
  const child = Bun.spawnSync(command, { cwd: folder, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  if (!child.success) throw new Error(`${command.join(' ')} ended with ${child.exitCode}: ${child.stderr}`);
  return child.stdout.toString();
}

test('the executable says its version and knows its commands', () => {
  expect(readdirSync(folder)).toEqual(['tributary']);
  expect(Bun.which('node', { PATH: env.PATH })).toBeNull();
  expect(run('./tributary', '--version')).toBe(`${packageJson.version}\n`);
  expect(run('./tributary', 'up', '--help')).toContain('tributary up');
});

test('in an empty folder the one file goes the newcomer’s path: up, the lines it prints, the row', async () => {
  const up = watchCommand(['./tributary', 'up'], { cwd: folder, env });
  let exitCode: number;
  try {
    await up.prints('simulate --devices', 50_000);
    expect(up.output()).toContain('  ./tributary status ');
    const curl = /^ {2}curl -X POST(?:.*\\\n)+.*\/telemetry$/m.exec(up.output())?.[0] ?? '';
    expect(run('sh', '-c', curl)).toBe('{"status":"accepted"}');
    await until(() => run('./tributary', 'telemetry', '--tenant', 'demo', '--json').includes('21.5'), {
      what: 'the reading as a row',
    });
    expect(JSON.parse(run('./tributary', 'status', '--json'))).toBeObject();
    await expectPages(/^ {2}Console +(\S+)$/m.exec(up.output())?.[1] ?? '');
  } finally {
    exitCode = await up.stop();
  }
  expect([exitCode, up.output()]).toEqual([0, expect.stringContaining('Tributary is running.')]);
  expect(existsSync(join(folder, '.tributary', 'instance.json'))).toBe(false);
}, 90_000);

/** They were bundled when the executable was made: their sources are not there. */
async function expectPages(consoleUrl: string): Promise<void> {
  const page = await (await fetch(consoleUrl)).text();
  const script = /src="(\/assets\/main-[^"]+\.js)"/.exec(page)?.[1] ?? '';
  const answer = await fetch(new URL(script, consoleUrl));
  expect(answer.headers.get('content-type')).toContain('javascript');
  expect((await answer.bytes()).length).toBeGreaterThan(50_000);
  for (const [path, holds] of [
    ['/api/docs', '<title>Tributary API</title>'],
    ['/api/docs.js', 'window.document'],
    ['/api/docs.css', ':focus-visible'],
  ] as const) {
    expect(await (await fetch(new URL(path, consoleUrl))).text()).toContain(holds);
  }
}

test('the systemd units start what there is, with settings that exist', () => {
  const units = join(projectRoot, 'deploy/systemd');
  for (const file of readdirSync(units)) {
    const unit = readFileSync(join(units, file), 'utf8');
    const [, command = ''] = /^ExecStart=\/usr\/local\/bin\/tributary (\S+)$/m.exec(unit) ?? [];
    for (const role of command === '%i' ? rolesNamedIn(unit) : [command])
      expect(run('./tributary', role, '--help')).toContain(`tributary ${role}`);
    for (const [, name = ''] of unit.matchAll(/^Environment=(\w+)=/gm))
      expect(readFileSync(join(projectRoot, 'docs/reference/configuration.md'), 'utf8')).toContain(name);
    expect(unit).toContain(`# `);
    expect(basename(file)).toMatch(/^tributary@?\.service$/);
  }
});

function rolesNamedIn(unit: string): string[] {
  const roles = [...unit.matchAll(/tributary@(\w+)/g)].map(([, role = '']) => role);
  expect(roles).not.toBeEmpty();
  return roles;
}
