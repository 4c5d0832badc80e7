import { join } from 'node:path';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { startPostgresServer } from '../../src/roles/up/postgres-server.ts';
import { tempFolder } from './temp-folder.ts';

export interface TestCluster {
  /** Superuser's address of the database `postgres`. */
  readonly url: string;
  readonly port: number;
  pid(): number;
  /** SIGKILL to the postmaster: recovery at the next start. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Starts again on the same port and data, after `kill` or `stop`. */
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real PostgreSQL of the test's own, for tests that stop it; the others share one through `createTestDatabase`. */
export async function startTestCluster(): Promise<TestCluster> {
  const folder = tempFolder('postgres');
  const options = {
    dataDir: join(folder.path, 'data'),
    port: await findFreePort({ random: Math.random }),
    password: 'for-tests',
    durable: false,
    maxConnections: 300,
  };
  let server = await startPostgresServer(options);
  let running = true;
  const end = async (signal?: NodeJS.Signals) => {
    if (!running) return;
    running = false;
    await server.stop(signal);
  };
  return {
    url: server.url,
    port: options.port,
    pid: () => server.pid,
    kill: () => end('SIGKILL'),
    stop: () => end(),
    start: async () => {
      if (running) return;
      server = await startPostgresServer(options);
      running = true;
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGQUIT');
      folder.remove();
    },
  };
}
