import { connect, createServer } from 'node:net';
import { UpError } from './up-error.ts';

/**
 * Ports for servers of our own. They lie below the range from which systems hand out ports to outgoing
 * connections: a client that keeps trying a stopped server's port in that range can end up connected to itself.
 */
export const ownPortRange = { first: 20_000, last: 32_000 } as const;

/** Why a listener cannot be bound to the address now (`EADDRINUSE`, `EACCES`, …); `undefined` when it can. */
function bindProblem(port: number, host = '127.0.0.1'): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  return promise;
}

async function isPortFree(port: number, host?: string): Promise<boolean> {
  return (await bindProblem(port, host)) === undefined;
}

/** One of the doors that users set the port of. */
export interface DoorPort {
  readonly port: number;
  readonly variable: string;
  readonly flag: string;
}

/**
 * Makes sure that a door can be opened, before anything is started.
 * @throws UpError that names the port and the setting.
 */
export async function requireFreePort(door: DoorPort, host: string): Promise<void> {
  const problem = await bindProblem(door.port, host);
  if (problem === undefined) return;
  const setting = `${door.variable} (${door.flag})`;
  if (problem === 'EADDRINUSE') {
    throw new UpError(
      `Port ${door.port} is taken: stop what listens there, or set ${setting} to a free port.`,
    );
  }
  if (problem === 'EACCES') {
    throw new UpError(`Port ${door.port} is for root only: set ${setting} to a port above 1023.`);
  }
  throw new UpError(
    `Cannot listen on ${host} port ${door.port} (${problem}): check TRIBUTARY_BIND and ${setting}.`,
  );
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
