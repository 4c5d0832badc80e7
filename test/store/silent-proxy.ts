import { connect, createServer, type Socket } from 'node:net';

export interface SilentProxy {
  /** The database's address, by way of the proxy. */
  readonly url: string;
  /** From now on the connections there are carry nothing and stay open; new ones work. */
  silence(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A network in between that can drop a connection's packets without ending it. */
export async function startSilentProxy(databaseUrl: string): Promise<SilentProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let silenced = new WeakSet<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => silenced.has(from) || to.write(data));
      from.on('close', () => silenced.has(from) || to.destroy());
      from.on('error', () => {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href,
    silence: () => {
      silenced = new WeakSet(sockets);
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
