import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer } from '../../src/roles/up/nats-binary.ts';
import { startNatsServer } from '../../src/roles/up/nats-server.ts';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { memoryHere } from '../../src/roles/up/postgres-memory.ts';
import { startPostgresServer } from '../../src/roles/up/postgres-server.ts';

/** The servers that both sides of every figure use, started as `tributary up` starts them. */
export interface Servers {
  readonly folder: string;
  readonly natsUrl: string;
  readonly natsPort: number;
  readonly natsPid: number;
  readonly databaseUrl: string;
  readonly postgresPid: number;
  /** The program of nats-server. */
  readonly natsBinary: string;
  stop(): Promise<void>;
}

const GiB = 1024 ** 3;

/** Ports of their own and an empty folder; gone after `stop`. Commits are durable, as in production. */
export async function startServers(say: (line: string) => void): Promise<Servers> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  // PostgreSQL's user must be able to pass through it.
  chmodSync(folder, 0o711);
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const natsBinary = await findNatsServer({
    searchPath: process.env.PATH ?? '',
    programsDir: join(folder, 'programs'),
    progress: {
      step: (what, work) => {
        say(what);
        return work();
      },
    },
  });
  const nats = await startNatsServer({
    binary: natsBinary,
    storeDir: join(folder, 'nats'),
    port: await findFreePort({ random: Math.random }),
    maxStoreBytes: 64 * GiB,
  });
  cleanup.defer(async () => void (await nats.stop('SIGKILL')));
  const postgres = await startPostgresServer({
    dataDir: join(folder, 'postgres'),
    port: await findFreePort({ random: Math.random }),
    password: 'for-the-benchmark',
    memoryBytes: memoryHere(),
  });
  cleanup.defer(async () => void (await postgres.stop('SIGQUIT')));
  const owned = cleanup.move();
  return {
    folder,
    natsUrl: nats.url,
    natsPort: nats.port,
    natsPid: nats.pid,
    databaseUrl: postgres.url,
    postgresPid: postgres.pid,
    natsBinary,
    stop: () => owned.disposeAsync(),
  };
}
