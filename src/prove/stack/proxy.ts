import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy between two members: cables to pull. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection with a reset. New ones are made as before. */
  cut(): void;
  /**
   * Every connection of the moment goes silent for good: nothing passes any more, and neither side is told. New ones
   * are made as before.
   */
  halfOpen(): void;
  /** Nothing passes, on connections of the moment or new ones, until `restore`: then all of it does, as TCP has it. */
  interrupt(): void;
  restore(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

export interface ProxyTarget {
  readonly port: number;
  /** Called with both ends of each connection before anything passes. */
  readonly watch?: (client: Socket, upstream: Socket) => void;
}

export async function startProxy(target: ProxyTarget): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let isInterrupted = false;
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
    const pair = { client, upstream };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    target.watch?.(client, upstream);
    if (!isInterrupted) join(pair);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const silent = new Set<Pair>();
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      for (const { client, upstream } of [...pairs]) {
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      }
    },
    halfOpen: () => {
      for (const pair of [...pairs]) {
        pairs.delete(pair);
        silent.add(pair);
        silence(pair);
      }
    },
    interrupt: () => {
      isInterrupted = true;
      for (const pair of pairs) hold(pair);
    },
    restore: () => {
      isInterrupted = false;
      for (const pair of pairs) join(pair);
    },
    close: async () => {
      for (const { client, upstream } of [...pairs, ...silent]) {
        client.destroy();
        upstream.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function join({ client, upstream }: Pair): void {
  client.pipe(upstream);
  upstream.pipe(client);
}

/** Stops reading: what is sent stays with its sender, who notices nothing until its buffers are full. */
function hold({ client, upstream }: Pair): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.unpipe(to);
    from.pause();
  }
}

/** Goes on reading, so that what is sent vanishes instead of filling buffers, and the sender notices nothing. */
function silence({ client, upstream }: Pair): void {
  client.unpipe(upstream);
  upstream.unpipe(client);
  for (const socket of [client, upstream]) {
    socket.removeAllListeners('close');
    socket.on('data', () => {});
    socket.resume();
  }
}
