import { join } from 'node:path';
import pg from 'pg';
import { type RunningServer, startNatsServer } from '../../roles/up/nats-server.ts';
import { startPostgresServer } from '../../roles/up/postgres-server.ts';
import type { SupervisedProcess } from '../../roles/up/supervisor.ts';

/** Passwords guard nothing here: the servers listen on loopback and are gone after the run. */
const password = 'for-prove';

export function launchNats(options: { binary: string; folder: string; port: number }) {
  const { binary, folder, port } = options;
  const logFile = join(folder, 'logs', 'nats-server.log');
  return async () =>
    asProcess(await startNatsServer({ binary, storeDir: join(folder, 'nats'), port, logFile }));
}

/** Durable as in production: without it a killed PostgreSQL may lose what it committed. */
export function launchPostgres(options: { folder: string; port: number }) {
  const { folder, port } = options;
  return async () =>
    asProcess(
      await startPostgresServer({
        dataDir: join(folder, 'postgres'),
        port,
        password,
        logFile: join(folder, 'logs', 'postgres.log'),
      }),
      'SIGQUIT',
    );
}

export const postgresUrl = (port: number, database: string) =>
  `postgres://tributary:${password}@127.0.0.1:${port}/${database}`;

export async function createDatabase(port: number, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl(port, 'postgres') });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
}

function asProcess(server: RunningServer, _dispose?: NodeJS.Signals): SupervisedProcess {
  return {
    pid: server.pid,
    exited: server.exited,
    stop: () => server.stop(),
    kill: () => server.stop('SIGKILL'),
  };
}
