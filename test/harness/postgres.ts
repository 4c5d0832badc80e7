import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../src/store/migrate.ts';
import { startTestCluster, type TestCluster } from './postgres-cluster.ts';
import { until } from './until.ts';

export interface TestDatabase {
  /** Superuser's address of the database. */
  readonly url: string;
  readonly name: string;
  /** A pool for the test's own questions; the product's pools are the test's to make and to end. */
  readonly pool: pg.Pool;
  /** Drops the database. Throws when somebody else's connection is still open: a pool leaked. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Default `true`: with all migrations applied. */
  readonly migrated?: boolean;
}

const templateName = 'tributary_template';
const templateLock = 7_266_118;

/** Where `npm test` says that the PostgreSQL of the run is. */
export const sharedPostgresVariable = 'TEST_POSTGRES_URL';

// One cluster for this test file when no run-wide one is there; bun isolates the modules of each file. It lives as
// long as there is a database in it: hooks of ours would run before those of the file.
let ownCluster: Promise<TestCluster> | undefined;
let ownDatabases = 0;

/** A database of the test's own, cloned from a migrated template. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const clusterUrl = await enterCluster();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const migrated = options.migrated ?? true;
  await withAdmin(clusterUrl, async (admin) => {
    if (migrated) await makeTemplate(admin, clusterUrl);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${migrated ? templateName : 'template0'}`);
  });
  const url = databaseUrl(clusterUrl, name);
  const pool = new pg.Pool({ connectionString: url, max: 4, application_name: 'the test itself' });
  return {
    url,
    name,
    pool,
    [Symbol.asyncDispose]: async () => {
      await pool.end();
      try {
        await withAdmin(clusterUrl, (admin) => dropDatabase(admin, name));
      } finally {
        await leaveCluster();
      }
    },
  };
}

async function enterCluster(): Promise<string> {
  const shared = process.env[sharedPostgresVariable];
  if (shared !== undefined && shared !== '') return shared;
  ownDatabases += 1;
  ownCluster ??= startTestCluster();
  return (await ownCluster).url;
}

async function leaveCluster(): Promise<void> {
  if (ownCluster === undefined) return;
  ownDatabases -= 1;
  if (ownDatabases > 0) return;
  const cluster = await ownCluster;
  ownCluster = undefined;
  await cluster[Symbol.asyncDispose]();
}

/** The first file of a run to get here makes the template; the lock keeps the others waiting until it is whole. */
async function makeTemplate(admin: pg.Client, clusterUrl: string): Promise<void> {
  await admin.query('SELECT pg_advisory_lock($1)', [templateLock]);
  try {
    const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [templateName]);
    if (found.rowCount !== 0) return;
    const unfinished = `${templateName}_unfinished`;
    await admin.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${unfinished} TEMPLATE template0`);
    await migrateDatabase(databaseUrl(clusterUrl, unfinished));
    await noConnections(admin, unfinished);
    await admin.query(`ALTER DATABASE ${unfinished} RENAME TO ${templateName}`);
  } finally {
    await admin.query('SELECT pg_advisory_unlock($1)', [templateLock]);
  }
}

async function migrateDatabase(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url });
  try {
    await migrate(pool);
  } finally {
    await pool.end();
  }
}

async function dropDatabase(admin: pg.Client, name: string): Promise<void> {
  const leaked = await noConnections(admin, name).then(
    () => undefined,
    (error: unknown) => error,
  );
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  if (leaked !== undefined) throw leaked;
}

/** A backend leaves a moment after its client closed; what stays longer is a leak. */
async function noConnections(admin: pg.Client, database: string): Promise<void> {
  let open: { application_name: string; query: string }[] = [];
  try {
    await until(
      async () => {
        const sessions = await admin.query<{ application_name: string; query: string }>(
          "SELECT application_name, query FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'",
          [database],
        );
        open = sessions.rows;
        return open.length === 0;
      },
      { what: `every connection to ${database} closed`, timeoutMs: 3_000 },
    );
  } catch (error) {
    const list = open.map(
      (session) => `${session.application_name || 'unnamed'}: ${session.query.slice(0, 120)}`,
    );
    throw new Error(`${open.length} connections leaked from ${database}:\n  ${list.join('\n  ')}`, {
      cause: error,
    });
  }
}

async function withAdmin<T>(clusterUrl: string, use: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: clusterUrl, application_name: 'test harness' });
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.end();
  }
}

function databaseUrl(clusterUrl: string, name: string): string {
  const url = new URL(clusterUrl);
  url.pathname = `/${name}`;
  return url.href;
}
