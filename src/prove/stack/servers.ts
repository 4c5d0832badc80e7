import { join } from 'node:path';
import pg from 'pg';
import { type NatsServerOptions, type RunningServer, startNatsServer } from '../../roles/up/nats-server.ts';
import { startPostgresServer } from '../../roles/up/postgres-server.ts';
import type { SupervisedProcess } from '../../roles/up/supervisor.ts';

export const natsFolder = (folder: string) => join(folder, 'nats');
export const postgresFolder = (folder: string) => join(folder, 'postgres');

/** Passwords guard nothing here: the servers listen on loopback and are gone after the run. */
const password = 'for-prove';

export function launchNats(
  options: Pick<NatsServerOptions, 'binary' | 'storeDir' | 'logFile' | 'port' | 'cluster'>,
) {
  return async () => asProcess(await startNatsServer(options));
}

/** Durable as in production: without it a killed PostgreSQL may lose what it committed. */
export function launchPostgres(options: {
  folder: string;
  port: number;
  prefix: readonly string[];
  searchPath: string;
}) {
  const { folder, port, prefix, searchPath } = options;
  return async () =>
    asProcess(
      await startPostgresServer({
        dataDir: join(postgresFolder(folder), 'data'),
        port,
        password,
        logFile: join(folder, 'logs', 'postgres.log'),
        prefix,
        searchPath,
      }),
    );
}

export const postgresUrl = (port: number, database: string) =>
  `postgres://tributary:${password}@127.0.0.1:${port}/${database}`;

export function natsUrl(ports: readonly number[]): string {
  return ports.map((port) => `nats://127.0.0.1:${port}`).join(',');
}

export async function createDatabase(port: number, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl(port, 'postgres') });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
}

function asProcess(server: RunningServer): SupervisedProcess {
  return {
    pid: server.pid,
    exited: server.exited,
    stop: () => server.stop(),
    kill: () => server.stop('SIGKILL'),
  };
}
