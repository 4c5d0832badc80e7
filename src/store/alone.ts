import type pg from 'pg';
import { createWaker } from '../lib/waker.ts';
import { createClient } from './pool.ts';
import { type Attempt, startReconnecting } from './reconnecting.ts';

export interface AloneOptions {
  readonly pool: pg.Pool;
  /** Any constant does, as long as every process takes the same for the same work. */
  readonly lock: number;
  /** How often a process that is not the one looks whether the place is free. */
  readonly standbyMs: number;
  /** A statement may take so long; default: as the pool's. */
  readonly statementTimeoutMs?: number;
  /** The work, with the connection that holds the place: until `turn.stopped`, with `turn.wait` in between. */
  readonly serve: (client: pg.Client, turn: Turn) => Promise<void>;
  /** The connection was lost, or `serve` threw; told once until it is there again. */
  readonly onInterrupted: (error: unknown) => void;
}

export interface Turn {
  readonly stopped: boolean;
  wait(timeoutMs: number): Promise<void>;
}

export interface Alone {
  /** Whether this process is the one at the moment. */
  readonly active: boolean;
  drain(): Promise<void>;
}

const reconnect = { baseMs: 200, maxMs: 5_000 } as const;

/**
 * Does something in one process of all that start it: who holds the advisory lock. The lock belongs to a connection, and
 * so when that process or its connection dies another one takes over.
 */
export function startAlone(options: AloneOptions): Alone {
  const { pool, lock, standbyMs, statementTimeoutMs, serve, onInterrupted } = options;
  const waker = createWaker();
  let active = false;

  async function takePlace(client: pg.Client, attempt: Attempt): Promise<void> {
    await client.connect();
    attempt.works();
    while (!attempt.stopped && !(await tryLock(client, lock))) await waker.wait(standbyMs);
    if (attempt.stopped) return;
    active = true;
    try {
      await serve(client, {
        get stopped() {
          return attempt.stopped;
        },
        wait: (timeoutMs) => waker.wait(timeoutMs),
      });
    } finally {
      active = false;
    }
  }

  const { drain } = startReconnecting({
    createClient: () => createClient(pool, statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
    use: takePlace,
    onFailure: (error, isFirst) => {
      if (isFirst) onInterrupted(error);
    },
    waker,
    backoff: reconnect,
  });
  return {
    get active() {
      return active;
    },
    drain,
  };
}

async function tryLock(client: pg.Client, lock: number): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [lock]);
  return rows[0]?.got === true;
}
