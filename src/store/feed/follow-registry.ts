import type pg from 'pg';
import type { Logger } from 'pino';
import type { BackoffOptions } from '../../lib/backoff.ts';
import type { Waker } from '../../lib/waker.ts';
import { createClient } from '../pool.ts';
import { type Attempt, startReconnecting } from '../reconnecting.ts';

export interface FollowOptions {
  readonly pool: pg.Pool;
  readonly pollMs: number;
  readonly queryTimeoutMs: number;
  readonly reconnect: BackoffOptions;
  readonly log: Logger;
  readonly waker: Waker;
  /** Called on a live connection: at once, after every `pollMs` and after every notification or wake-up. */
  readonly load: (client: pg.Client) => Promise<void>;
  /** A load, or the way to it, failed. */
  readonly onFailure: (error: Error) => void;
}

/** Calls `load` again and again, on a connection that is made anew whenever it is lost. */
export function startFollowing(options: FollowOptions): { drain(): Promise<void> } {
  const { pool, queryTimeoutMs, log, waker, reconnect } = options;
  return startReconnecting({
    createClient: () => createClient(pool, { queryTimeoutMs }),
    use: (client, attempt) => follow(client, options, attempt),
    onFailure: (thrown, isFirst) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (isFirst)
        log.warn({ event: 'registry_unreadable', err: error }, 'the registry cannot be read: trying again');
      options.onFailure(error);
    },
    waker,
    backoff: reconnect,
  });
}

async function follow(
  client: pg.Client,
  { load, waker, pollMs, log }: FollowOptions,
  attempt: Attempt,
): Promise<void> {
  client.on('notification', () => waker.wake());
  await client.connect();
  await client.query('listen tributary_registry');
  while (!attempt.stopped) {
    await load(client);
    if (attempt.failures > 0) log.info({ event: 'registry_readable' }, 'the registry can be read again');
    attempt.works();
    if (!attempt.stopped) await waker.wait(pollMs);
  }
}
