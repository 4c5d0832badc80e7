import { join } from 'node:path';
import { type NatsServerOptions, startNatsServer } from '../../src/roles/up/nats-server.ts';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { tempFolder } from './temp-folder.ts';

export interface TestNats {
  readonly url: string;
  readonly port: number;
  readonly storeDir: string;
  /** The process of the moment. */
  pid(): number;
  /** SIGKILL: nothing is flushed. */
  kill(): Promise<void>;
  /** An orderly stop. */
  stop(): Promise<void>;
  /** Starts again on the same port and store, after `kill` or `stop`. */
  start(): Promise<void>;
  /** `stop` and `start`. */
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real nats-server with JetStream of the test's own, on a free port with an empty store. */
export async function startTestNats(
  overrides: Partial<
    Pick<NatsServerOptions, 'auth' | 'include' | 'monitorPort' | 'maxStoreBytes' | 'maxPayloadBytes'>
  > = {},
): Promise<TestNats> {
  const binary = Bun.which('nats-server', { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/bin` });
  if (binary === null) throw new Error('nats-server is not on the PATH: run npm test, which installs it');
  const folder = tempFolder('nats');
  const port = await findFreePort({ random: Math.random });
  const options: NatsServerOptions = { binary, storeDir: join(folder.path, 'nats'), port, ...overrides };
  let server = await startNatsServer(options);
  let running = true;
  const end = async (signal?: NodeJS.Signals) => {
    if (!running) return;
    running = false;
    await server.stop(signal);
  };
  const start = async () => {
    if (running) return;
    server = await startNatsServer(options);
    running = true;
  };
  return {
    url: server.url,
    port,
    storeDir: options.storeDir,
    pid: () => server.pid,
    kill: () => end('SIGKILL'),
    stop: () => end(),
    start,
    restart: async () => {
      await end();
      await start();
    },
    [Symbol.asyncDispose]: async () => {
      // A test's store is thrown away: no need to wait for an orderly end.
      await end('SIGKILL');
      folder.remove();
    },
  };
}
