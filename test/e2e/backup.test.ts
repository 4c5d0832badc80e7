import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../src/store/migrate.ts';
import { insertDevices, post } from '../harness/fleet.ts';
import { startTestCluster, type TestCluster } from '../harness/postgres-cluster.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };
const roomy = { ratePerSecond: 100_000, burst: 1_000_000 };

/** docs/backup.md, step by step: servers stop, their files are copied, the roles run on. */
const temp = tempFolder('backup');
const cleanup = new AsyncDisposableStack();
cleanup.defer(() => temp.remove());
afterAll(() => cleanup.disposeAsync());
/** They are messages of the stream, too: what is gone is counted to the message here. */
const withoutCanaries = { TRIBUTARY_CANARY_INTERVAL_MS: '0' };
let cluster: TestCluster;
let pool: pg.Pool;
let stack: Stack;
let dataFolder: string;
let sent = 0;

beforeAll(async () => {
  cluster = cleanup.use(await startTestCluster());
  pool = new pg.Pool({ connectionString: cluster.url, max: 2 });
  pool.on('error', () => {});
  cleanup.defer(() => pool.end());
  await migrate(pool);
  await insertDevices(pool, [device], roomy);
  const { rows } = await pool.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
  dataFolder = rows[0]?.folder ?? '';
  stack = cleanup.use(
    await startStack({ roles: { mqtt: 0 }, env: withoutCanaries, databaseUrl: cluster.url }),
  );
});

/** Each is a message of its own, answered 202. */
async function send(count: number): Promise<void> {
  for (const end = sent + count; sent < end; ) {
    const body = { site_id: 's1', ts: Date.now(), seq: sent, metrics: { n: sent } };
    const answer = await post(stack.httpUrl, device, body);
    if (answer.status === 202) sent += 1;
    // While the door finds its server again.
    else await Bun.sleep(50);
  }
}

const rowsStored = async () => {
  const { rows } = await pool.query<{ rows: number; messages: number }>(
    'select count(*)::int as rows, count(distinct seq)::int as messages from telemetry',
  );
  return rows[0];
};

async function settled(count: number): Promise<void> {
  await until(async () => (await rowsStored())?.rows === count, { what: `${count} rows`, timeoutMs: 30_000 });
  expect(await rowsStored()).toEqual({ rows: count, messages: count });
}

interface Told {
  readonly accepted: number;
  readonly unaccounted: number;
  readonly in_flight: number;
  readonly epochs: readonly { readonly epoch: number; readonly unaccounted: number }[];
}

/** When nothing is in flight any more. */
const audit = () =>
  until(
    async () => {
      const { code, stdout } = await stack.cli('audit', '--json');
      const told = JSON.parse(stdout) as Told;
      return told.in_flight === 0 && { code, ...told };
    },
    { what: 'the audit, with nothing in flight', timeoutMs: 30_000 },
  );

const natsFiles = () => join(stack.nats.storeDir, 'jetstream');
const copyOf = (name: string) => join(temp.path, name);

async function swapNats(work: () => void): Promise<void> {
  await stack.nats.stop();
  work();
  await stack.nats.start();
}

async function swapPostgres(work: () => void): Promise<void> {
  await cluster.stop();
  work();
  await cluster.start();
  await until(() => pool.query('select 1'), { what: 'PostgreSQL answers', timeoutMs: 20_000 });
}

function putBack(copy: string, folder: string): void {
  rmSync(folder, { recursive: true });
  cpSync(copy, folder, { recursive: true, preserveTimestamps: true });
}

test('NATS restored from an older copy: an epoch begins, nothing is stored twice, nothing is missing', async () => {
  await send(100);
  await settled(100);
  await swapNats(() => cpSync(natsFiles(), copyOf('nats'), { recursive: true }));
  await send(80);
  await settled(180);
  await swapNats(() => putBack(copyOf('nats'), natsFiles()));
  // Numbers that the stream has given before.
  await send(50);
  await settled(230);
  const told = await audit();
  expect(told).toMatchObject({ code: 0, unaccounted: 0 });
  expect(told.epochs).toHaveLength(2);
}, 90_000);

test('PostgreSQL restored from an older copy: the audit says how many are gone, to the message; the rest goes on', async () => {
  await swapPostgres(() => Bun.spawnSync(['cp', '-a', dataFolder, copyOf('postgres')]));
  await send(40);
  await settled(270);
  const before = await audit();
  expect(before).toMatchObject({ code: 0, unaccounted: 0 });
  await swapPostgres(() => {
    rmSync(dataFolder, { recursive: true });
    Bun.spawnSync(['cp', '-a', copyOf('postgres'), dataFolder]);
  });
  await send(30);
  await settled(260);
  const told = await until(
    async () => {
      const now = await audit();
      return now.unaccounted > 0 && now;
    },
    { what: 'what is gone is told' },
  );
  expect(told.unaccounted).toBe(40);
  expect(told.code).toBe(1);
  const epoch = `${told.epochs.find(({ unaccounted }) => unaccounted > 0)?.epoch}`;
  const noted = await stack.cli('audit', 'acknowledge', '--epoch', epoch, '--note', 'restored the backup');
  expect([noted.code, noted.stderr]).toEqual([0, '']);
  expect((await audit()).code).toBe(0);
}, 120_000);
