import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Child,
  type ChildUser,
  endsWithin,
  readyOrWhyNot,
  startChild,
  stopChild,
  wrapCommand,
} from './child-process.ts';
import type { RunningServer } from './nats-server.ts';
import { type PostgresBinaries, postgresBinaries, postgresUser } from './postgres-binaries.ts';
import { sharedBuffersFor } from './postgres-memory.ts';

export interface PostgresServerOptions {
  /** The cluster's folder; made on the first start. */
  readonly dataDir: string;
  readonly port: number;
  /** Of the superuser `tributary`; the first start sets it, later ones must know it. */
  readonly password: string;
  /**
   * `false` turns off fsync and everything else that makes a commit outlive a power cut: for tests only.
   * Default: `true`.
   */
  readonly durable?: boolean;
  readonly maxConnections?: number;
  /** Of the machine that it shares with the other roles: its cache is made in proportion. Default: PostgreSQL's own, small. */
  readonly memoryBytes?: number;
  /** Default: `postgres.log` beside the cluster's folder. */
  readonly logFile?: string;
  readonly readyTimeoutMs?: number;
  /** Where PostgreSQL's programs may lie, as the environment's PATH. Default: nowhere but at the usual places. */
  readonly searchPath?: string;
  /** Goes before the server's command line, such as `env NAME=value`. */
  readonly prefix?: readonly string[];
}

export const postgresServerDefaults = { maxConnections: 100, readyTimeoutMs: 60_000 } as const;

/** The superuser of a cluster of ours. */
const postgresSuperuser = 'tributary';

const host = '127.0.0.1';

/**
 * Starts a real PostgreSQL from the packaged binaries, on loopback over TCP with a password.
 *
 * Resolves when it answers queries; `url` names the database `postgres`. Throws when it cannot be started; its log
 * says why.
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<RunningServer> {
  const binaries = postgresBinaries({
    major: clusterMajor(options.dataDir),
    ...(options.searchPath === undefined ? {} : { searchPath: options.searchPath }),
  });
  const user = postgresUser(options.dataDir, binaries.bin);
  const logFile = options.logFile ?? join(dirname(options.dataDir), 'postgres.log');
  if (!existsSync(join(options.dataDir, 'PG_VERSION'))) await initialise(options, binaries, user);
  const child = await startPostmaster(options, binaries.postgres, user, logFile);
  return {
    url: `postgres://${postgresSuperuser}:${encodeURIComponent(options.password)}@${host}:${options.port}/postgres`,
    port: options.port,
    pid: child.pid,
    exited: child.exited,
    stop: async (signal) => {
      // SIGINT: roll back what is open and write a checkpoint; SIGQUIT: leave at once, recover at the next start.
      const fastThenImmediate = [
        { signal: 'SIGINT', waitMs: 20_000 },
        { signal: 'SIGQUIT', waitMs: 5_000 },
      ] as const;
      if (signal === undefined) return stopChild(child, fastThenImmediate);
      child.signal(signal);
      return child.exited;
    },
  };
}

/** A first start that is cut off must not leave half a cluster, so it is made elsewhere and moved into place. */
async function initialise(
  options: PostgresServerOptions,
  { initdb, major }: PostgresBinaries,
  user: ChildUser | undefined,
): Promise<void> {
  const unfinished = `${options.dataDir}.unfinished`;
  const passwordFile = `${options.dataDir}.password`;
  rmSync(unfinished, { recursive: true, force: true });
  rmSync(options.dataDir, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  try {
    if (user !== undefined) {
      for (const path of [unfinished, passwordFile]) chownSync(path, user.uid, user.gid);
    }
    const settings = ['--encoding=UTF8', ...locale(major)];
    const access = [`--username=${postgresSuperuser}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    const sync = options.durable === false ? ['--no-sync'] : [];
    const command = [initdb, '--pgdata', unfinished, '--no-instructions', ...settings, ...access, ...sync];
    const child = Bun.spawn([...wrapCommand({ command, ...(user === undefined ? {} : { user }) })], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    if ((await child.exited) !== 0) throw new Error(`PostgreSQL's initdb failed: ${errors.trim()}`);
    renameSync(unfinished, options.dataDir);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Sorted bytewise, letters of all scripts known; the provider that needs nothing of the system came with 17. */
function locale(major: number): string[] {
  if (major >= 17) return ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  return process.platform === 'linux' ? ['--locale=C', '--lc-ctype=C.UTF-8'] : ['--locale=C'];
}

/** The version that made the cluster; `undefined` where there is none yet. */
function clusterMajor(dataDir: string): number | undefined {
  const file = join(dataDir, 'PG_VERSION');
  return existsSync(file) ? Number(readFileSync(file, 'utf8').trim()) : undefined;
}

/**
 * Right after a kill the shared memory of the former server may still be held by its last processes, and a start
 * fails; so it is tried again for a while.
 */
async function startPostmaster(
  options: PostgresServerOptions,
  postgres: string,
  user: ChildUser | undefined,
  logFile: string,
): Promise<Child> {
  const timeoutMs = options.readyTimeoutMs ?? postgresServerDefaults.readyTimeoutMs;
  const deadline = performance.now() + timeoutMs;
  for (let attempt = 1; ; attempt += 1) {
    const child = startChild({
      command: [
        ...(options.prefix ?? []),
        postgres,
        '-D',
        options.dataDir,
        ...settingFlags(options, attempt),
      ],
      logFile,
      signalWhenParentDies: 'INT',
      ...(user === undefined ? {} : { user }),
    });
    const ready = await readyOrWhyNot(child.exited, () => isReady(options.dataDir, child.pid), timeoutMs);
    if (ready === 'ready') return child;
    if (!(await endsWithin(child, 0))) await stopChild(child, [{ signal: 'SIGQUIT', waitMs: 5_000 }]);
    if (attempt === 5 || performance.now() > deadline) {
      throw new Error(`PostgreSQL did not start (${ready}); see ${logFile}`);
    }
    await Bun.sleep(200 * attempt);
  }
}

/** PostgreSQL keeps its process id in the first line of this file and its state in the eighth. */
function isReady(dataDir: string, pid: number): boolean {
  const file = join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return false;
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines[0]?.trim() === String(pid) && lines[7]?.trim() === 'ready';
}

/** With so much memory it may not start where memory is rationed: from this attempt on it goes with its own default. */
const modestAttempt = 3;

function settingFlags(options: PostgresServerOptions, attempt: number): string[] {
  const settings: Record<string, string> = {
    listen_addresses: host,
    port: String(options.port),
    unix_socket_directories: '',
    max_connections: String(options.maxConnections ?? postgresServerDefaults.maxConnections),
    timezone: 'UTC',
    // Details and contexts of errors quote the values of rows; devices' data has no place in a log.
    log_error_verbosity: 'terse',
    max_wal_size: '2GB',
  };
  if (
    options.memoryBytes !== undefined &&
    attempt < modestAttempt &&
    !isSetByHand(options.dataDir, 'shared_buffers')
  )
    settings.shared_buffers = sharedBuffersFor(options.memoryBytes);
  if (options.durable === false) {
    Object.assign(settings, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' });
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** With `alter system`: a flag would win over what somebody has decided. */
function isSetByHand(dataDir: string, setting: string): boolean {
  const file = join(dataDir, 'postgresql.auto.conf');
  return existsSync(file) && new RegExp(`^\\s*${setting}\\b`, 'm').test(readFileSync(file, 'utf8'));
}
