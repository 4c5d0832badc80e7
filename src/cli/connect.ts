import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import pino, { type Logger } from 'pino';
import type { Config } from '../config/settings.ts';
import { createLog } from '../observe/create-log.ts';
import { natsDial } from '../roles/servers/dial-nats.ts';
import { createPool } from '../store/pool.ts';
import type { Invocation } from './define-command.ts';
import { type Located, locate } from './locate.ts';
import { postgresFailure } from './postgres-failure.ts';

const maxConnections = 4;

/** Runs `work` with a pool of the instance's database, and closes it. Failures of the database come out in words. */
export async function withDatabase<T>(
  { config }: Pick<Invocation, 'config'>,
  work: (pool: pg.Pool) => Promise<T>,
): Promise<T> {
  return usingDatabase(locate('database', config), config, work);
}

async function usingDatabase<T>(
  database: Located,
  config: Config,
  work: (pool: pg.Pool) => Promise<T>,
): Promise<T> {
  const pool = createPool({
    databaseUrl: database.url,
    max: maxConnections,
    name: 'tributary cli',
    log: createCliLog(config),
  });
  try {
    return await work(pool);
  } catch (error) {
    throw postgresFailure(error, database.url, database.origin) ?? error;
  } finally {
    await pool.end();
  }
}

/** Runs `work` with a connection to the instance's NATS, and closes it. */
export async function withNats<T>(
  { config }: Pick<Invocation, 'config'>,
  work: (connection: NatsConnection) => Promise<T>,
): Promise<T> {
  const { url } = locate('nats', config);
  const connection = await natsDial({ config, url, role: 'cli', log: createCliLog(config) })();
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Commands speak in sentences; the log of what lies beneath is for those who debug. */
export function createCliLog(config: Config): Logger {
  const level = ['trace', 'debug'].includes(config.logLevel) ? config.logLevel : 'silent';
  return createLog({ level, destination: pino.destination({ dest: 2, sync: true }) });
}
