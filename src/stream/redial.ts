import type { Server } from '@nats-io/nats-core';
import type { NodeConnectionOptions } from '@nats-io/transport-node';

export interface RedialOptions {
  /** Between two attempts at one server, in ms. */
  readonly waitMs: number;
  /** On top of it, up to. */
  readonly jitterMs: number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/**
 * Chooses the server that was not dialled for longest, so that a connection which broke, or was given up, goes to
 * another where there is one. (The client itself would begin with the one that it comes from.)
 *
 * Paces the attempts at a server by a clock that never goes back. Left alone the client does so by the wall clock: after
 * that was set back by three hours, a connection that broke was not dialled for three hours.
 */
export function paceRedials(
  options: RedialOptions,
): Required<Pick<NodeConnectionOptions, 'reconnectDelayHandler' | 'reconnectToServer'>> {
  const { waitMs, jitterMs, clock, random } = options;
  const dialledAtMs = new Map<string, number>();
  return {
    // The client dials when `last attempt + this` has passed: always, whatever its clock says.
    reconnectDelayHandler: () => Number.NEGATIVE_INFINITY,
    reconnectToServer: (servers) => {
      const dialledAt = ({ listen }: Server) => dialledAtMs.get(listen) ?? Number.NEGATIVE_INFINITY;
      const [first, ...others] = servers;
      if (first === undefined) return null;
      const server = others.reduce(
        (oldest, each) => (dialledAt(each) < dialledAt(oldest) ? each : oldest),
        first,
      );
      const before = dialledAt(server);
      const delay = Math.max(0, before + waitMs + random() * jitterMs - clock());
      dialledAtMs.set(server.listen, clock() + delay);
      return { server, delay };
    },
  };
}
