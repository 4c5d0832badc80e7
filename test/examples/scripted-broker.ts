import { once } from 'node:events';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';

export interface ScriptedBroker {
  readonly port: number;
  /** Topic and text of every PUBLISH, in the order in which they came. */
  readonly published: readonly { readonly topic: string; readonly text: string }[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** A broker that acknowledges a PUBLISH, or cuts the connection instead: the test says which, by its number from 0. */
export async function startScriptedBroker(acknowledges: (index: number) => boolean): Promise<ScriptedBroker> {
  const published: { topic: string; text: string }[] = [];
  const broker = new Aedes({
    authorizePublish: (client, packet, done) => {
      const isGood = acknowledges(published.length);
      published.push({ topic: packet.topic, text: packet.payload.toString() });
      if (isGood) done(null);
      else client?.conn.destroy();
    },
  });
  await broker.listen();
  const server = createServer((socket) => broker.handle(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    published,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await new Promise<void>((resolve) => broker.close(() => resolve()));
    },
  };
}
