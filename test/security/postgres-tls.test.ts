import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chownSync, copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { migrate } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { makeCertificates } from '../harness/certificates.ts';
import { startTestCluster, type TestCluster } from '../harness/postgres-cluster.ts';

const certificates = makeCertificates();
const cleanup = new AsyncDisposableStack();
cleanup.defer(() => certificates[Symbol.dispose]());
afterAll(() => cleanup.disposeAsync());
const silent = pino({ level: 'silent' });
let cluster: TestCluster;

/** A server that speaks TLS and takes this user only with a certificate of ours. */
beforeAll(async () => {
  cluster = cleanup.use(await startTestCluster());
  const client = new pg.Client({ connectionString: cluster.url });
  await client.connect();
  const { rows } = await client.query<{ data_directory: string; hba_file: string }>(
    `select current_setting('data_directory') as data_directory, current_setting('hba_file') as hba_file`,
  );
  const { data_directory: folder = '', hba_file: hba = '' } = rows[0] ?? {};
  const owner = statSync(folder);
  const put = (from: string, name: string) => {
    copyFileSync(from, join(folder, name));
    chownSync(join(folder, name), owner.uid, owner.gid);
    return name;
  };
  const { server, ca } = certificates;
  for (const [setting, file] of [
    ['ssl_cert_file', put(server.cert, 'server.crt')],
    ['ssl_key_file', put(server.key, 'server.key')],
    ['ssl_ca_file', put(ca, 'ca.crt')],
    ['ssl', 'on'],
  ])
    await client.query(`alter system set ${setting} = '${file}'`);
  await Bun.write(hba, 'hostssl all tributary 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n');
  await client.query('select pg_reload_conf()');
  await client.end();
});

async function connect(parameters: Readonly<Record<string, string>>): Promise<string> {
  const url = new URL(cluster.url);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const pool = createPool({ databaseUrl: url.href, max: 1, name: 'x', log: silent });
  try {
    const { rows } = await pool.query<{ version: string | null }>(
      'select version from pg_stat_ssl where pid = pg_backend_pid()',
    );
    return rows[0]?.version ?? 'plain';
  } finally {
    await pool.end();
  }
}

test('DATABASE_URL asks for mutual TLS as libpq’s parameters do; a stranger gets nowhere', async () => {
  const { ca, client, stranger } = certificates;
  const ours = { sslmode: 'verify-full', sslrootcert: ca, sslcert: client.cert, sslkey: client.key };
  expect(await connect(ours)).toStartWith('TLSv1');
  await expect(connect({ ...ours, sslrootcert: stranger.ca })).rejects.toThrow(/certificate/i);
  await expect(connect({ ...ours, sslcert: stranger.cert, sslkey: stranger.key })).rejects.toThrow();
  await expect(connect({ sslmode: 'verify-full', sslrootcert: ca })).rejects.toThrow();
  await expect(connect({})).rejects.toThrow(/no pg_hba.conf entry|no encryption/);
});

test('the schema is made over such a connection', async () => {
  const { ca, client } = certificates;
  const url = new URL(cluster.url);
  const parameters = { sslmode: 'verify-full', sslrootcert: ca, sslcert: client.cert, sslkey: client.key };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const pool = createPool({ databaseUrl: url.href, max: 1, name: 'x', log: silent });
  try {
    expect((await migrate(pool)).applied).not.toBeEmpty();
  } finally {
    await pool.end();
  }
});
