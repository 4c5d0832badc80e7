import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { parseNatsUrl } from './connection.ts';

/** Told how it goes with the server that a connection is to. */
export interface ServerWatch {
  /** JetStream did its part, through this server. */
  well(): void;
  /** JetStream did not do its part in time although the connection stands. */
  unwell(): void;
}

export interface ServerWatchOptions {
  readonly nc: Pick<NatsConnection, 'reconnect' | 'isClosed' | 'isDraining' | 'getServer' | 'info'>;
  /** What it was connected with: whether there are other servers to go to. */
  readonly url: string;
  readonly log: Logger;
  /** Monotonic, in ms. */
  readonly clock: () => number;
}

export const serverWatchDefaults = {
  /**
   * With a publish's own timeout before it, longer than an election takes (4 to 9 s): who is on the side that elects must not
   * move to the server that was cut off.
   */
  patienceMs: 8_000,
  /** It doubles with every move that brought nothing: the fault is elsewhere. */
  maxPatienceMs: 60_000,
} as const;

/**
 * Leaves a server that answers pings and serves nothing: cut off from the rest of its cluster, it cannot know who leads,
 * or leads without anybody who follows. Where there is no other server, this does nothing.
 */
export function createServerWatch({ nc, url, log, clock }: ServerWatchOptions): ServerWatch {
  // Counted now: a server that was cut off tells of no others.
  const servers = Math.max(
    [parseNatsUrl(url).servers ?? []].flat().length,
    nc.info?.connect_urls?.length ?? 0,
  );
  const { patienceMs, maxPatienceMs } = serverWatchDefaults;
  let patience: number = patienceMs;
  let unwellSinceMs: number | undefined;
  return {
    well: () => {
      unwellSinceMs = undefined;
      patience = patienceMs;
    },
    unwell: () => {
      unwellSinceMs ??= clock();
      if (servers < 2 || clock() - unwellSinceMs < patience || nc.isClosed() || nc.isDraining()) return;
      unwellSinceMs = undefined;
      patience = Math.min(patience * 2, maxPatienceMs);
      const server = nc.getServer();
      log.warn(
        { event: 'nats_server_left', server },
        'JetStream does not answer through this server: trying another',
      );
      nc.reconnect().catch(() => undefined);
    },
  };
}
