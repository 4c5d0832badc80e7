import { expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { wrapCommand } from '../../../src/roles/up/child-process.ts';
import { startNatsServer } from '../../../src/roles/up/nats-server.ts';
import { findFreePort } from '../../../src/roles/up/ports.ts';
import { startPostgresServer } from '../../../src/roles/up/postgres-server.ts';
import { tempFolder } from '../../harness/temp-folder.ts';

const natsBinary = Bun.which('nats-server', { PATH: `${process.env.PATH}:/usr/sbin` }) ?? 'nats-server';

test('PostgreSQL starts in a folder that only its owner may enter, as in /root', async () => {
  using temp = tempFolder('postgres');
  const closed = join(temp.path, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o700);
  const port = await findFreePort({ random: Math.random });
  const options = { dataDir: join(closed, 'data'), port, password: 'secret', durable: false };
  const server = await startPostgresServer(options);
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  expect((await client.query('SHOW data_checksums')).rows).toEqual([{ data_checksums: 'on' }]);
  await client.end();
  await server.stop();
});

test('PostgreSQL asks for the password', async () => {
  using temp = tempFolder('postgres');
  const port = await findFreePort({ random: Math.random });
  const options = { dataDir: join(temp.path, 'data'), port, password: 'p@ss/w:rd', durable: false };
  const server = await startPostgresServer(options);
  const wrong = new pg.Client({ connectionString: server.url.replace(/:[^:@]*@/, ':wrong@') });
  await expect(wrong.connect()).rejects.toThrow(/password authentication failed/);
  const right = new pg.Client({ connectionString: server.url });
  await right.connect();
  await right.end();
  await server.stop('SIGQUIT');
});

test('PostgreSQL’s cache goes by the memory, unless somebody has set it', async () => {
  using temp = tempFolder('postgres');
  const port = await findFreePort({ random: Math.random });
  const memoryBytes = 2 * 1024 ** 3;
  const options = { dataDir: join(temp.path, 'data'), port, password: 'p', durable: false, memoryBytes };
  const startAndAsk = async (then?: string) => {
    const server = await startPostgresServer(options);
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    const { rows } = await client.query('show shared_buffers');
    if (then !== undefined) await client.query(then);
    await client.end();
    await server.stop();
    return rows[0].shared_buffers;
  };
  expect(await startAndAsk(`alter system set shared_buffers = '48MB'`)).toBe('256MB');
  expect(await startAndAsk()).toBe('48MB');
});

test('a first start of PostgreSQL that was cut off is begun anew', async () => {
  using temp = tempFolder('postgres');
  const dataDir = join(temp.path, 'data');
  mkdirSync(join(`${dataDir}.unfinished`, 'base'), { recursive: true });
  const port = await findFreePort({ random: Math.random });
  const server = await startPostgresServer({ dataDir, port, password: 'p', durable: false });
  await server.stop('SIGQUIT');
  expect(statSync(join(dataDir, 'PG_VERSION')).isFile()).toBe(true);
});

test('a nats-server whose port is taken by another server fails and is not mistaken for it', async () => {
  using temp = tempFolder('nats');
  const port = await findFreePort({ random: Math.random });
  const first = await startNatsServer({ binary: natsBinary, storeDir: join(temp.path, 'first'), port });
  const second = startNatsServer({ binary: natsBinary, storeDir: join(temp.path, 'second'), port });
  await expect(second).rejects.toThrow(
    /nats-server did not start \(it ended with exit code 1\); see .*nats-server\.log/,
  );
  await first.stop();
});

test('the password of nats-server is readable by its owner only', async () => {
  using temp = tempFolder('nats');
  const storeDir = join(temp.path, 'nats');
  const port = await findFreePort({ random: Math.random });
  const auth = { user: 'u', password: 'quo"ted' };
  const server = await startNatsServer({ binary: natsBinary, storeDir, port, auth });
  const file = join(storeDir, 'nats-server.conf');
  expect(readFileSync(file, 'utf8')).toContain('password: "quo\\"ted"');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await server.stop();
});

test.skipIf(process.platform !== 'linux')(
  'a child on Linux gets its signal when its parent is killed',
  async () => {
    const script = `
    const child = Bun.spawn(${JSON.stringify(wrapCommand({ command: ['sleep', '600'], signalWhenParentDies: 'TERM' }))});
    console.log(child.pid);
    await child.exited;
  `;
    const parent = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' });
    const { value } = await parent.stdout.getReader().read();
    const childPid = Number(new TextDecoder().decode(value).trim());
    const { processStart } = await import('../../../src/roles/up/process-info.ts');
    const { until } = await import('../../harness/until.ts');
    expect(processStart(childPid)).toBeDefined();
    // The signal is arranged by a wrapper, which then becomes the command: before that nobody would send it.
    const command = () => readFileSync(`/proc/${childPid}/cmdline`, 'utf8').split('\0')[0];
    await until(() => command() === 'sleep', { what: 'the wrapper has become the command' });
    parent.kill('SIGKILL');
    await parent.exited;
    await until(() => processStart(childPid) === undefined, { what: 'the end of the child' });
  },
);
