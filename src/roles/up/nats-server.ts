import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type ChildExit, readyOrWhyNot, startChild, stopChild } from './child-process.ts';

export interface NatsServerOptions {
  /** The `nats-server` program. */
  readonly binary: string;
  /** Holds the configuration, the pid file and JetStream's files. */
  readonly storeDir: string;
  readonly port: number;
  /** Address to listen on; loopback unless told otherwise. */
  readonly host?: string;
  /** Port of the HTTP monitoring address; none when absent. */
  readonly monitorPort?: number | undefined;
  readonly auth?: { readonly user: string; readonly password: string } | undefined;
  /** Configuration files to read besides: users, certificates. */
  readonly include?: readonly string[];
  /** JetStream's limit for all files together. */
  readonly maxStoreBytes?: number;
  /** One of several servers that keep streams together; alone when absent. */
  readonly cluster?: NatsClusterOptions | undefined;
  /** The largest message the server takes, headers included. */
  readonly maxPayloadBytes?: number;
  /** Default: `nats-server.log` in the store folder. */
  readonly logFile?: string;
  readonly readyTimeoutMs?: number;
}

export interface NatsClusterOptions {
  /** The same on all servers of the cluster. */
  readonly name: string;
  /** Of this server, another one on each: what JetStream calls its peers. */
  readonly serverName: string;
  /** Where the other servers reach this one. */
  readonly port: number;
  /** `host:port` of others to keep a route to. */
  readonly routes: readonly string[];
  /** `host:port` told to the others in place of our own, so that they come by that way or not at all. */
  readonly advertise?: string | undefined;
}

export const natsServerDefaults = {
  host: '127.0.0.1',
  maxStoreBytes: 16 * 1024 ** 3,
  maxPayloadBytes: 1024 * 1024,
  readyTimeoutMs: 30_000,
} as const;

/** A server process of our own, ready for connections. */
export interface RunningServer {
  /** With user and password when there are any. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Stops in order; with a signal given, that signal is sent and the end awaited. */
  stop(signal?: NodeJS.Signals): Promise<ChildExit>;
}

/**
 * Starts a real nats-server with JetStream.
 *
 * Resolves when the server accepts connections, which it does only after its streams are recovered. Throws when it
 * ends before that, or is not ready in time; its log says why.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<RunningServer> {
  const host = options.host ?? natsServerDefaults.host;
  const logFile = options.logFile ?? join(options.storeDir, 'nats-server.log');
  const configFile = natsConfigFile(options.storeDir);
  mkdirSync(options.storeDir, { recursive: true, mode: 0o700 });
  writeFileSync(configFile, natsConfig({ ...options, host }), { mode: 0o600 });
  for (const stale of portsFiles(options.storeDir)) rmSync(join(options.storeDir, stale));
  const child = startChild({
    command: [options.binary, '--config', configFile],
    logFile,
    signalWhenParentDies: 'TERM',
  });
  const timeoutMs = options.readyTimeoutMs ?? natsServerDefaults.readyTimeoutMs;
  // The server writes this file once it listens; a connection alone could be somebody else's server.
  const listens = () => portsFiles(options.storeDir).some((name) => name.endsWith(`_${child.pid}.ports`));
  const ready = await readyOrWhyNot(child.exited, listens, timeoutMs);
  if (ready !== 'ready') {
    await stopChild(child, []);
    throw new Error(`nats-server did not start (${ready}); see ${logFile}`);
  }
  const credentials =
    options.auth === undefined
      ? ''
      : `${encodeURIComponent(options.auth.user)}:${encodeURIComponent(options.auth.password)}@`;
  return {
    url: `nats://${credentials}${host}:${options.port}`,
    port: options.port,
    pid: child.pid,
    exited: child.exited,
    stop: async (signal) => {
      // SIGTERM lets JetStream flush; a store on a slow disk may take its time.
      if (signal === undefined) return stopChild(child, [{ signal: 'SIGTERM', waitMs: 20_000 }]);
      child.signal(signal);
      return child.exited;
    },
  };
}

/** Where the configuration lies: it names a server of ours in the process list. */
function natsConfigFile(storeDir: string): string {
  return join(storeDir, 'nats-server.conf');
}

function natsPidFile(storeDir: string): string {
  return join(storeDir, 'nats-server.pid');
}

function natsConfig(options: NatsServerOptions & { readonly host: string }): string {
  const lines = [
    '# Written anew at each start.',
    `listen: ${quoted(`${options.host}:${options.port}`)}`,
    `pid_file: ${quoted(natsPidFile(options.storeDir))}`,
    `ports_file_dir: ${quoted(options.storeDir)}`,
    `max_payload: ${options.maxPayloadBytes ?? natsServerDefaults.maxPayloadBytes}`,
    'jetstream {',
    `  store_dir: ${quoted(join(options.storeDir, 'jetstream'))}`,
    `  max_file_store: ${options.maxStoreBytes ?? natsServerDefaults.maxStoreBytes}`,
    '}',
  ];
  if (options.cluster !== undefined) lines.push(...clusterLines(options.cluster, options.host));
  if (options.monitorPort !== undefined)
    lines.push(`http: ${quoted(`${options.host}:${options.monitorPort}`)}`);
  // An include's path is relative to the file that names it, whatever it looks like.
  for (const file of options.include ?? []) lines.push(`include ${quoted(relative(options.storeDir, file))}`);
  if (options.auth !== undefined) {
    const { user, password } = options.auth;
    lines.push(`authorization { user: ${quoted(user)}, password: ${quoted(password)} }`);
  }
  return `${lines.join('\n')}\n`;
}

function clusterLines(cluster: NatsClusterOptions, host: string): string[] {
  const { name, serverName, port, routes, advertise } = cluster;
  return [
    `server_name: ${quoted(serverName)}`,
    'cluster {',
    `  name: ${quoted(name)}`,
    `  listen: ${quoted(`${host}:${port}`)}`,
    ...(advertise === undefined ? [] : [`  advertise: ${quoted(advertise)}`]),
    `  routes: [${routes.map((address) => quoted(`nats://${address}`)).join(', ')}]`,
    '}',
  ];
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function portsFiles(storeDir: string): string[] {
  return readdirSync(storeDir).filter((name) => name.endsWith('.ports'));
}
