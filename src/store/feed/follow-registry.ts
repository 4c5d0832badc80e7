import type pg from 'pg';
import type { Logger } from 'pino';
import { backoffMs } from '../../lib/backoff.ts';
import type { Waker } from '../../lib/waker.ts';
import { createClient, endClient } from '../pool.ts';

export interface FollowOptions {
  readonly pool: pg.Pool;
  readonly pollMs: number;
  readonly queryTimeoutMs: number;
  readonly reconnect: { readonly baseMs: number; readonly maxMs: number };
  readonly log: Logger;
  readonly waker: Waker;
  /** Called on a live connection: at once, after every `pollMs` and after every notification or wake-up. */
  readonly load: (client: pg.Client) => Promise<void>;
  /** A load, or the way to it, failed. */
  readonly onFailure: (error: Error) => void;
}

/** Calls `load` again and again, on a connection that is made anew whenever it is lost. */
export function startFollowing(options: FollowOptions): { drain(): Promise<void> } {
  const { pool, log, waker, reconnect } = options;
  const state = { stopped: false, failures: 0 };

  async function run(): Promise<void> {
    while (!state.stopped) {
      const client = createClient(pool, { queryTimeoutMs: options.queryTimeoutMs });
      try {
        await follow(client, options, state);
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        // Once an outage: the next attempts fail alike.
        if (state.failures === 0)
          log.warn({ event: 'registry_unreadable', err: error }, 'the registry cannot be read: trying again');
        options.onFailure(error);
      } finally {
        // Also of a connection that never came about.
        await endClient(client);
      }
      if (state.stopped) return;
      // Without jitter: each process has one such connection, and its polls are as frequent.
      await waker.wait(backoffMs(state.failures, reconnect, () => 1));
      state.failures += 1;
    }
  }

  const running = run();
  return {
    drain: async () => {
      state.stopped = true;
      waker.wake();
      await running;
    },
  };
}

async function follow(
  client: pg.Client,
  { load, waker, pollMs, log }: FollowOptions,
  state: { stopped: boolean; failures: number },
): Promise<void> {
  client.on('notification', () => waker.wake());
  await client.connect();
  await client.query('listen tributary_registry');
  while (!state.stopped) {
    await load(client);
    if (state.failures > 0) log.info({ event: 'registry_readable' }, 'the registry can be read again');
    state.failures = 0;
    if (!state.stopped) await waker.wait(pollMs);
  }
}
