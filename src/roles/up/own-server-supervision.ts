import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { logFileOf, orUpError, type UpContext } from './context.ts';
import type { DataFolder } from './data-folder.ts';
import { findNatsServer } from './nats-binary.ts';
import { type RunningServer, startNatsServer } from './nats-server.ts';
import { type OwnServers, readOwnServers, writeOwnServers } from './own-servers.ts';
import { findFreePort } from './ports.ts';
import { memoryHere } from './postgres-memory.ts';
import { startPostgresServer } from './postgres-server.ts';
import type { SupervisedProcess } from './supervisor.ts';

/** The database of ours in a PostgreSQL of our own. */
const databaseName = 'tributary';

/** Ports and passwords for this start: the remembered ones where there are any and their ports are free. */
export async function chooseOwnServers(folder: DataFolder): Promise<OwnServers> {
  const known = readOwnServers(folder);
  const natsPort = await findFreePort({ preferred: known?.nats.port, random: Math.random });
  let postgresPort = await findFreePort({ preferred: known?.postgres.port, random: Math.random });
  while (postgresPort === natsPort) postgresPort = await findFreePort({ random: Math.random });
  const chosen = {
    nats: { user: 'tributary', password: known?.nats.password ?? newPassword(), port: natsPort },
    postgres: { password: known?.postgres.password ?? newPassword(), port: postgresPort },
  };
  writeOwnServers(folder, chosen);
  return chosen;
}

/** Starts a nats-server of our own, installed first if need be, and looks after it. Returns its address. */
export async function superviseNats(context: UpContext, own: OwnServers): Promise<string> {
  const { folder, progress } = context;
  const { port, user, password } = own.nats;
  const binary = await findNatsServer({
    searchPath: context.searchPath,
    programsDir: folder.programsDir,
    progress,
  });
  const logFile = logFileOf(folder, 'nats-server');
  let url = '';
  const child = {
    name: 'nats-server',
    start: async () => {
      const server = await startNatsServer({
        binary,
        storeDir: folder.natsDir,
        port,
        auth: { user, password },
        logFile,
      });
      url = server.url;
      return asSupervised(server);
    },
  };
  await progress.step(`starting NATS on port ${port}`, () =>
    orUpError('NATS', () => context.supervise('nats', child)),
  );
  return url;
}

/** Starts a PostgreSQL of our own and looks after it. Returns the address of our database in it. */
export async function supervisePostgres(context: UpContext, own: OwnServers): Promise<string> {
  const { folder, progress } = context;
  const { port, password } = own.postgres;
  const logFile = logFileOf(folder, 'postgres');
  let url = '';
  const child = {
    name: 'postgres',
    start: async () => {
      const server = await startPostgresServer({
        dataDir: folder.postgresDir,
        port,
        password,
        memoryBytes: memoryHere(),
        logFile,
        searchPath: context.searchPath,
      });
      url = await ensureDatabase(server.url).catch(async (error: unknown) => {
        await server.stop();
        throw error;
      });
      return asSupervised(server);
    },
  };
  await progress.step(`starting PostgreSQL on port ${port}`, () =>
    orUpError('PostgreSQL', () => context.supervise('postgres', child)),
  );
  return url;
}

function asSupervised(server: RunningServer): SupervisedProcess {
  return {
    pid: server.pid,
    exited: server.exited,
    stop: () => server.stop(),
    // SIGQUIT: PostgreSQL leaves at once and takes its helpers along; nats-server just ends.
    kill: () => server.stop('SIGQUIT'),
  };
}

async function ensureDatabase(serverUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${databaseName} TEMPLATE template0`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${databaseName}`;
  return url.href;
}

function newPassword(): string {
  return randomBytes(24).toString('base64url');
}
