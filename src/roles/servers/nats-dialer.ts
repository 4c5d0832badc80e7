import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { backoffMs } from '../../lib/backoff.ts';

export interface NatsDialerOptions {
  /** One attempt; rejects with a sentence for the operator. */
  readonly connect: () => Promise<NatsConnection>;
  readonly log: Logger;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

export interface NatsDialer {
  /** Resolves once NATS has answered for the first time, however long that takes; never when stopped before. */
  readonly connected: Promise<NatsConnection>;
  /** Resolves after the first attempt, whatever came of it. */
  readonly tried: Promise<void>;
  /** The connection, once there is one; from then on it keeps itself. */
  current(): NatsConnection | undefined;
  /** Stops dialling. Does not close a connection that is there. */
  stop(): void;
}

export const natsDialerDefaults = { baseMs: 250, maxMs: 2_000 } as const;

/** Dials NATS until it answers for the first time, so that a role can start before its server does. */
export function startNatsDialer({ connect, log, random }: NatsDialerOptions): NatsDialer {
  const connected = Promise.withResolvers<NatsConnection>();
  const tried = Promise.withResolvers<void>();
  const stopping = Promise.withResolvers<void>();
  let current: NatsConnection | undefined;
  let stopped = false;
  const attempt = async (number: number): Promise<boolean> => {
    try {
      const nc = await connect();
      if (stopped) await nc.close();
      else {
        current = nc;
        connected.resolve(nc);
      }
      return true;
    } catch (error) {
      // Once is enough: the connection reports when it comes.
      if (number === 0) log.warn({ event: 'nats_unreachable' }, sentenceOf(error));
      else log.debug({ event: 'nats_unreachable', attempt: number }, sentenceOf(error));
      return false;
    } finally {
      tried.resolve();
    }
  };
  void (async () => {
    for (let number = 0; !stopped && !(await attempt(number)); number++) {
      await Promise.race([Bun.sleep(backoffMs(number, natsDialerDefaults, random)), stopping.promise]);
    }
  })();
  return {
    connected: connected.promise,
    tried: tried.promise,
    current: () => current,
    stop: () => {
      stopped = true;
      stopping.resolve();
    },
  };
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
