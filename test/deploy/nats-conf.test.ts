import { afterAll, expect, test } from 'bun:test';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { runTributary } from '../harness/role-process.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';

const deploy = resolve(import.meta.dir, '../../deploy/nats');
const temp = tempFolder('nats-conf');
const cleanup = new AsyncDisposableStack();
cleanup.defer(() => temp.remove());
afterAll(() => cleanup.disposeAsync());
const conf = join(temp.path, 'etc');
cpSync(deploy, conf, { recursive: true });
const durable = join(conf, 'durable.conf');
const program =
  Bun.which('nats-server', { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/bin` }) ?? 'nats-server';
const version = /v(\d+\.\d+)/.exec(Bun.spawnSync([program, '--version']).stdout.toString())?.[1] ?? '0';
/** 2.12 brought `sync_interval: always` to the configuration file as it is used here. */
const knowsAlways = Bun.semver.order(`${version}.0`, '2.12.0') >= 0;

const check = (file: string) =>
  Bun.spawnSync([program, '-c', join(conf, file), '-t'], { stdout: 'pipe', stderr: 'pipe' });
const freePort = () => findFreePort({ random: Math.random });

interface Server {
  readonly url: string;
  readonly monitor: string;
}

/** The very file, with what the command line is there for: ports, folder and name. */
async function start(
  file: string,
  name: string,
  port: number,
  more: readonly string[] = [],
): Promise<Server> {
  const monitorPort = await freePort();
  const child = Bun.spawn(
    [
      program,
      '-c',
      join(conf, file),
      '-a',
      '127.0.0.1',
      '-p',
      `${port}`,
      '-m',
      `${monitorPort}`,
      '-sd',
      join(temp.path, name),
      '-n',
      name,
      ...more,
    ],
    { stdout: 'ignore', stderr: 'ignore' },
  );
  cleanup.defer(async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  const monitor = `http://127.0.0.1:${monitorPort}`;
  // Debian's answers with what is missing until JetStream is there.
  await until(async () => (await fetch(`${monitor}/healthz`)).ok, {
    what: `${name} is healthy`,
    timeoutMs: 20_000,
  });
  return { url: `nats://127.0.0.1:${port}`, monitor };
}

test('the line for durability is understood, or is the only one that this server is too old for', () => {
  const lines = readFileSync(join(deploy, 'durable.conf'), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#') && line !== '');
  expect(lines).toEqual(['sync_interval: always']);
  for (const file of ['nats.conf', 'cluster.conf']) {
    if (knowsAlways) expect(check(file).exitCode).toBe(0);
    else expect(check(file).stderr.toString()).toContain('sync_interval');
  }
  if (!knowsAlways) {
    console.error(`the line of durable.conf was not tried: nats-server ${version} is older than 2.12`);
    writeFileSync(durable, '');
  }
  for (const file of ['nats.conf', 'cluster.conf']) expect([file, check(file).exitCode]).toEqual([file, 0]);
});

test('a real server runs the file, and the streams fit into it', async () => {
  const server = await start('nats.conf', 'one', await freePort());
  const made = await runTributary(['topology', '--json'], {
    NATS_URL: server.url,
    TRIBUTARY_STREAM_MAX_BYTES: '10737418240',
  });
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: '' });
  const varz = (await (await fetch(`${server.monitor}/varz`)).json()) as {
    jetstream: { config: { max_storage: number } };
    max_payload: number;
  };
  expect(varz.jetstream.config.max_storage).toBeGreaterThan(19_000_000_000);
  expect(varz.max_payload).toBe(1_048_576);
});

test('three real servers run the cluster’s file, and a stream has its three copies', async () => {
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = [await freePort(), await freePort(), await freePort()];
  const servers = await Promise.all(
    ports.map((port, index) =>
      start('cluster.conf', `node-${index + 1}`, port, [
        '--cluster',
        `nats://127.0.0.1:${routes[index]}`,
        '--routes',
        routes
          .filter((_, other) => other !== index)
          .map((each) => `nats://127.0.0.1:${each}`)
          .join(','),
      ]),
    ),
  );
  const env = { NATS_URL: servers.map(({ url }) => url).join(','), TRIBUTARY_STREAM_REPLICAS: '3' };
  const made = await until(
    async () => {
      const result = await runTributary(['topology', '--json'], env);
      return result.code === 0 && result;
    },
    { what: 'the streams are made', timeoutMs: 30_000 },
  );
  expect(made.stderr).toBe('');
  const again = await runTributary(['topology', '--check', '--json'], env);
  expect(again.code).toBe(0);
  const { streams } = JSON.parse(again.stdout) as { streams: { name: string; state: string }[] };
  expect(streams.map(({ state }) => state)).toEqual(['ok', 'ok']);
  const jsz = (await (await fetch(`${servers[0]?.monitor}/jsz?streams=true&config=true`)).json()) as {
    account_details: { stream_detail: { name: string; config: { num_replicas: number } }[] }[];
  };
  const replicas = jsz.account_details[0]?.stream_detail.map(({ config }) => config.num_replicas);
  expect(replicas).toEqual([3, 3]);
}, 90_000);
