import { connect, createServer } from 'node:net';

/**
 * Ports for servers of our own. They lie below the range from which systems hand out ports to outgoing
 * connections: a client that keeps trying a stopped server's port in that range can end up connected to itself.
 */
export const ownPortRange = { first: 20_000, last: 32_000 } as const;

/** Resolves to `true` when a listener can be bound to the address now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

/** Resolves to `true` when something accepts a connection at the address. */
export function acceptsConnections(port: number, host = '127.0.0.1', timeoutMs = 1_000): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host });
  const finish = (accepted: boolean) => {
    socket.destroy();
    resolve(accepted);
  };
  socket.setTimeout(timeoutMs, () => finish(false));
  socket.once('connect', () => finish(true));
  socket.once('error', () => finish(false));
  return promise;
}

/** A free port of our range; the preferred one when it is free. `random` returns numbers in [0, 1). */
export async function findFreePort(options: {
  readonly preferred?: number | undefined;
  readonly random: () => number;
  readonly host?: string;
}): Promise<number> {
  if (options.preferred !== undefined && (await isPortFree(options.preferred, options.host)))
    return options.preferred;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = ownPortRange.first + Math.floor(options.random() * (ownPortRange.last - ownPortRange.first));
    if (await isPortFree(port, options.host)) return port;
  }
  throw new Error(`no free port between ${ownPortRange.first} and ${ownPortRange.last}`);
}
