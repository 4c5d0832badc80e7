import type pg from 'pg';
import { type BackoffOptions, backoffMs } from '../lib/backoff.ts';
import type { Waker } from '../lib/waker.ts';
import { endClient } from './pool.ts';

export interface ReconnectingOptions {
  /** Makes a client that is not connected yet. */
  readonly createClient: () => pg.Client;
  /** Connects it and works with it, until it is lost or the work is stopped. */
  readonly use: (client: pg.Client, attempt: Attempt) => Promise<void>;
  /** `isFirst`: it worked before; the attempts that follow fail alike. */
  readonly onFailure: (error: unknown, isFirst: boolean) => void;
  /** Ends the wait for the next attempt. */
  readonly waker: Waker;
  readonly backoff: BackoffOptions;
}

export interface Attempt {
  readonly stopped: boolean;
  /** Attempts that failed since it last worked. */
  readonly failures: number;
  /** To be called when the connection has shown that it works. */
  works(): void;
}

/** Works on one connection of its own, made anew whenever it is lost, until it is drained. */
export function startReconnecting(options: ReconnectingOptions): { drain(): Promise<void> } {
  const { createClient, use, onFailure, waker, backoff } = options;
  const attempt = {
    stopped: false,
    failures: 0,
    works() {
      attempt.failures = 0;
    },
  };

  async function run(): Promise<void> {
    while (!attempt.stopped) {
      const client = createClient();
      try {
        await use(client, attempt);
      } catch (error) {
        onFailure(error, attempt.failures === 0);
      } finally {
        // Also of a connection that never came about.
        await endClient(client);
      }
      if (attempt.stopped) return;
      // Without jitter: each process has few such connections, and they ask as often when all is well.
      await waker.wait(backoffMs(attempt.failures, backoff, () => 1));
      attempt.failures += 1;
    }
  }

  const running = run();
  return {
    drain: async () => {
      attempt.stopped = true;
      waker.wake();
      await running;
    },
  };
}
