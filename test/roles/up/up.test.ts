import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { processStart } from '../../../src/roles/up/process-info.ts';
import { startTestNats } from '../../harness/nats.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { tempFolder } from '../../harness/temp-folder.ts';
import { until } from '../../harness/until.ts';
import { runningChildren, startUp } from './running-up.ts';

function alive(children: readonly { pid: number; start: string }[]): number[] {
  return children.filter(({ pid, start }) => processStart(pid) === start).map(({ pid }) => pid);
}

test('a first start prints lines that work when pasted; a stop leaves no process; a second start has the data', async () => {
  using temp = tempFolder('up');
  const dataDir = join(temp.path, 'data');
  await using first = startUp(dataDir);
  const instance = await first.ready();
  const children = runningChildren(dataDir);
  expect(children.map(({ name }) => name).sort()).toEqual([
    'console',
    'delivery',
    'gateway',
    'mqtt',
    'nats-server',
    'postgres',
    'worker',
  ]);
  for (const file of ['instance.json', 'secrets-key']) {
    expect(statSync(join(dataDir, file)).mode & 0o777).toBe(0o600);
  }

  const pasted = pasteableCommands(first.output());
  expect(pasted.map((command) => command.trim().split(' ')[0])).toEqual(['curl', 'curl', 'mosquitto_pub']);
  for (const command of pasted) {
    const shell = Bun.spawnSync(['sh', '-c', command], { env: { PATH: `${process.env.PATH}:/usr/bin` } });
    expect(shell.exitCode, `${command}\n${shell.stderr}`).toBe(0);
  }
  const stored = async (databaseUrl: string) => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    const { rows } = await client.query("SELECT count(*)::int AS n FROM telemetry WHERE tenant_id = 'demo'");
    await client.end();
    return Number(rows[0].n);
  };
  await until(async () => (await stored(instance.databaseUrl)) === 3, {
    what: 'three rows of the demo device',
  });

  first.signal('SIGTERM');
  expect(await first.exited).toBe(0);
  expect(alive(children)).toEqual([]);
  expect(existsSync(join(dataDir, 'lock'))).toBe(false);
  expect(existsSync(join(dataDir, 'instance.json'))).toBe(false);
  const stops = [...first.output().matchAll(/stopping ([^…]*) …/g)].map((match) => match[1]);
  expect(stops).toEqual(['gateway, mqtt, console', 'worker', 'delivery', 'nats-server', 'postgres']);

  await using second = startUp(dataDir);
  const again = await second.ready();
  // Shown by the start that made it, and by none after.
  const operatorKey = readFileSync(join(dataDir, 'operator-key'), 'utf8').trim();
  expect([first, second].map((up) => up.output().includes(operatorKey))).toEqual([true, false]);
  const signedIn = await fetch(`${again.consoleUrl}/api/v1/session`, {
    headers: { Authorization: `Bearer ${operatorKey}` },
  });
  expect(await signedIn.json()).toMatchObject({ operator: true });
  expect(await stored(again.databaseUrl)).toBe(3);
  expect(pasteableCommands(second.output())[0]).toContain(tokenIn(first.output()));
  const logs = readdirSync(join(dataDir, 'logs')).map((file) =>
    readFileSync(join(dataDir, 'logs', file), 'utf8'),
  );
  expect(logs.join('\n')).not.toContain(tokenIn(first.output()));
  expect(
    first
      .output()
      .split('\n')
      .filter((line) => line.length > 80 && !line.includes(dataDir)),
  ).toEqual([]);
});

test('after kill -9 the next start takes the lock over, stops what was left, and works', async () => {
  using temp = tempFolder('up');
  const dataDir = join(temp.path, 'data');
  await using killed = startUp(dataDir);
  await killed.ready();
  const orphans = runningChildren(dataDir);
  killed.signal('SIGKILL');
  await killed.exited;
  await using next = startUp(dataDir);
  await next.ready();
  expect(next.output()).toContain(`took over the lock of process ${killed.pid}, which is gone`);
  expect(alive(orphans)).toEqual([]);
});

test('a second up on the same data folder ends with one sentence', async () => {
  using temp = tempFolder('up');
  const dataDir = join(temp.path, 'data');
  await using first = startUp(dataDir);
  await first.ready();
  await using second = startUp(dataDir);
  expect(await second.exited).not.toBe(0);
  expect(second.output().trim()).toBe(
    `error: Tributary is running already on ${dataDir} (process ${first.pid}): stop it, or set TRIBUTARY_DATA_DIR to another folder.`,
  );
});

test('children that are killed run again, and the system works', async () => {
  using temp = tempFolder('up');
  const dataDir = join(temp.path, 'data');
  await using running = startUp(dataDir);
  const instance = await running.ready();
  for (const { pid } of runningChildren(dataDir)) process.kill(pid, 'SIGKILL');
  for (const name of ['gateway', 'mqtt', 'worker', 'delivery', 'console', 'nats-server', 'postgres']) {
    await until(() => running.output().includes(`${name} was ended by SIGKILL; starting it again`), {
      what: name,
    });
    await until(() => running.output().includes(`${name} runs again`), {
      what: `${name} again`,
      timeoutMs: 20_000,
    });
  }
  const [curl] = pasteableCommands(running.output());
  const accepted = () =>
    Bun.spawnSync(['sh', '-c', `${curl} -s -o /dev/null -w '%{http_code}'`]).stdout.toString() === '202';
  await until(accepted, { what: 'a message is accepted', timeoutMs: 20_000 });
  await until(
    async () => {
      const client = new pg.Client({ connectionString: instance.databaseUrl });
      client.on('error', () => {});
      await client.connect();
      const { rows } = await client.query('SELECT count(*)::int AS n FROM telemetry');
      await client.end();
      return rows[0].n > 0;
    },
    { what: 'the message is stored', timeoutMs: 20_000 },
  );
});

test('servers that the settings name are used, and only the others are of our own', async () => {
  using temp = tempFolder('up');
  await using nats = await startTestNats({ auth: { user: 'fleet', password: 's3cret/&' } });
  await using database = await createTestDatabase({ migrated: false });
  const dataDir = join(temp.path, 'data');
  const childrenWith = async (environment: Record<string, string>) => {
    await using running = startUp(dataDir, environment);
    await running.ready();
    const names = runningChildren(dataDir).map(({ name }) => name);
    expect(running.output()).not.toContain('s3cret');
    running.signal('SIGINT');
    expect(await running.exited).toBe(0);
    return names.sort();
  };
  const named = { NATS_URL: nats.url, DATABASE_URL: database.url };
  // A broker that is away holds nobody up.
  const away = { TRIBUTARY_BRIDGE_URL: 'mqtt://127.0.0.1:1' };
  const bridged = ['console', 'delivery', 'gateway', 'mqtt', 'mqtt-bridge', 'worker'];
  expect(await childrenWith({ ...named, ...away })).toEqual(bridged);
  const { DATABASE_URL } = named;
  expect(await childrenWith({ DATABASE_URL })).toEqual([
    'console',
    'delivery',
    'gateway',
    'mqtt',
    'nats-server',
    'worker',
  ]);
  expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
});

/** The commands of the banner, each on one line, as a shell would read them. */
function pasteableCommands(output: string): string[] {
  const joined = output.replaceAll('\\\n', ' ');
  return [...joined.matchAll(/^ {2}((?:curl|mosquitto_pub) (?:[^\n]|\n {4})*)/gm)].map(
    (match) => match[1] ?? '',
  );
}

function tokenIn(output: string): string {
  return /trb_\w+/.exec(output)?.[0] ?? 'no token';
}
