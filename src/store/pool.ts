import pg from 'pg';
import type { Logger } from 'pino';
import { withDeadline } from '../lib/deadline.ts';
import { columnTypes } from './types.ts';

export interface PoolOptions {
  readonly databaseUrl: string;
  /** Connections at most. */
  readonly max: number;
  /** What `pg_stat_activity` shows as application_name, for example `tributary worker`. */
  readonly name: string;
  readonly log: Logger;
  readonly timeouts?: Partial<PoolTimeouts>;
}

/** Each bounds what one lost peer or one slow statement can hold up. */
export interface PoolTimeouts {
  readonly connectTimeoutMs: number;
  /** The server ends a statement after this time (57014). */
  readonly statementTimeoutMs: number;
  /** The server gives up waiting for a lock (55P03). */
  readonly lockTimeoutMs: number;
  /** The server ends a session that leaves its transaction open (25P03). */
  readonly idleInTransactionTimeoutMs: number;
  /**
   * The client gives up a query that is not answered at all, and its connection: a network that drops packets tells
   * nobody. Longer than a statement may take, or the server's own timeout would never be seen.
   */
  readonly answerTimeoutMs: number;
}

export const poolTimeoutDefaults: PoolTimeouts = {
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 30_000,
  lockTimeoutMs: 10_000,
  idleInTransactionTimeoutMs: 60_000,
  answerTimeoutMs: 35_000,
};

/**
 * A pool of connections whose columns arrive as `columnTypes` says. Connects on first use.
 *
 * A backend that is killed, or a server that goes away, fails the queries under way and never the process: the
 * pool replaces the connection. End it with `pool.end()`.
 */
export function createPool({ databaseUrl, max, name, log, timeouts }: PoolOptions): pg.Pool {
  const { connectTimeoutMs, statementTimeoutMs, lockTimeoutMs, idleInTransactionTimeoutMs, answerTimeoutMs } =
    {
      ...poolTimeoutDefaults,
      ...timeouts,
    };
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: name,
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    types: columnTypes,
    // A promise: the pool waits for it before it gives the connection away.
    onConnect: (client: pg.ClientBase) => keepCommits(client),
  });
  // The pool listens to idle connections only, and an `error` event that nobody hears ends the process. What a
  // checked-out connection was doing fails with the same error, so it is not logged a second time.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) =>
    log.warn({ event: 'database_connection_lost', err: error }, 'an idle database connection was lost'),
  );
  return pool;
}

/**
 * With `synchronous_commit = off`, as the database or the role may be set, a server that crashes forgets commits that
 * were told, and with them messages that were acknowledged. Stronger settings than `on` stay.
 */
async function keepCommits(client: pg.ClientBase): Promise<void> {
  await client.query(
    `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`,
  );
}

export interface ClientOverrides {
  /** Ends on the client's side a query that is not answered: only this notices a dead network. */
  readonly queryTimeoutMs?: number;
  /** For statements that take longer than the pool's may: the client waits a little longer than the server. */
  readonly statementTimeoutMs?: number;
}

const answerGraceMs = 5_000;

/** A connection outside the pool with the pool's own options, for what must hold on to its session. */
export function createClient(pool: pg.Pool, overrides: ClientOverrides = {}): pg.Client {
  const { queryTimeoutMs, statementTimeoutMs } = overrides;
  const client = new pg.Client({
    ...pool.options,
    ...(statementTimeoutMs === undefined
      ? {}
      : { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + answerGraceMs }),
    ...(queryTimeoutMs === undefined ? {} : { query_timeout: queryTimeoutMs }),
  });
  client.on('error', () => {});
  return client;
}

const goodbyeMs = 1_000;

/** Ends a client in whatever state it is. A dead network does not answer the goodbye: that is not waited for. */
export async function endClient(client: pg.Client): Promise<void> {
  await withDeadline(client.end(), goodbyeMs, () => {}).catch(() => {});
}
