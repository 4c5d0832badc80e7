import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import type { Config } from '../../config/settings.ts';
import { whenAborted } from '../../lib/when-aborted.ts';
import { createLog } from '../../observe/create-log.ts';
import { connectNats } from '../../stream/connection.ts';
import { banner } from './banner.ts';
import { stopOrphans } from './child-list.ts';
import { createContext, orUpError, type UpContext } from './context.ts';
import { openDataFolder } from './data-folder.ts';
import { type Instance, writeInstance } from './instance.ts';
import { acquireLock } from './lock.ts';
import { chooseOwnServers, superviseNats, supervisePostgres } from './own-server-supervision.ts';
import { findFreePort, requireFreePort } from './ports.ts';
import { prepareDatabase, prepareStreams } from './preparation.ts';
import { createProgress, type Progress } from './progress.ts';
import { type RoleName, roleEnvironment } from './role-processes.ts';
import { reachableHost, startRoles } from './roles.ts';
import { ensureReceiptKey, ensureSecretsKey } from './secrets-key.ts';
import { UpError } from './up-error.ts';

export interface UpOptions {
  readonly config: Config;
  /** What the roles inherit; their settings are written over it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The command line that runs a role as a process of its own. */
  readonly roleCommand: (role: RoleName) => readonly string[];
  /** What the user calls this program, for lines to paste. */
  readonly callAs: string;
  /** Where the user reads. */
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Aborted: stop everything in order. */
  readonly stop: AbortSignal;
  /** Aborted: do not wait for an orderly end any longer. */
  readonly hurry: AbortSignal;
}

/**
 * Runs the whole system on this machine until `stop`, and resolves when everything has ended.
 * @throws UpError when it cannot be started or go on; its message is all that the user needs.
 */
export async function runUp(options: UpOptions): Promise<void> {
  const progress = createProgress({
    write: options.write,
    isTerminal: options.isTerminal,
    clock: () => performance.now(),
  });
  const folder = openDataFolder(options.config.dataDir);
  const lock = acquireLock(folder.lockFile);
  try {
    if (lock.takenOverFrom !== undefined) {
      progress.note(`took over the lock of process ${lock.takenOverFrom}, which is gone`);
    }
    await clearOrphans(folder.childrenFile, progress);
    const config = await withDoors(options.config);
    const searchPath = options.environment.PATH ?? '';
    await runSystem(createContext({ config, folder, progress, searchPath }), options);
  } finally {
    lock.release();
  }
}

async function runSystem(context: UpContext, options: UpOptions): Promise<void> {
  const { folder, progress, stages } = context;
  const { stop, hurry } = options;
  try {
    await startSystem(context, options);
    await Promise.race([whenAborted(stop), context.fatal]);
  } catch (error) {
    // Asked to stop while starting: whatever failed then failed because of it.
    if (!stop.aborted) throw error;
  } finally {
    rmSync(folder.instanceFile, { force: true });
    await stages.stop(progress, hurry);
  }
}

async function startSystem(context: UpContext, options: UpOptions): Promise<void> {
  const { config, folder } = context;
  const destination = pino.destination({ dest: join(folder.logsDir, 'up.log'), mkdir: true, sync: true });
  const log = createLog({ level: config.logLevel, destination });
  const addresses = await startServers(context, options.stop);
  options.stop.throwIfAborted();
  const prepared = await prepareDatabase(context, addresses.databaseUrl, log);
  options.stop.throwIfAborted();
  const nc = await orUpError(undefined, () =>
    connectNats({ url: addresses.natsUrl, name: 'tributary up', log }),
  );
  try {
    await prepareStreams(context, nc);
    options.stop.throwIfAborted();
    const secretsKey = config.secretsKey ?? ensureSecretsKey(folder.secretsKeyFile, randomBytes);
    const receiptKey = config.receiptKey ?? ensureReceiptKey(folder.receiptKeyFile, randomBytes);
    const settings = { ...config, ...addresses, secretsKey, receiptKey, healthPort: 0 };
    const environment = roleEnvironment(options.environment, settings);
    await startRoles({ context, roleCommand: options.roleCommand, environment, nc, stop: options.stop });
  } finally {
    await nc.close();
  }
  options.stop.throwIfAborted();
  const instance = instanceOf(context, addresses);
  writeInstance(folder.instanceFile, instance);
  const { callAs } = options;
  options.write(banner({ instance, dataDir: folder.path, logsDir: folder.logsDir, ...prepared, callAs }));
}

interface Addresses {
  readonly natsUrl: string;
  readonly databaseUrl: string;
}

/** Servers of our own for whatever the settings do not point elsewhere. */
async function startServers(context: UpContext, stop: AbortSignal): Promise<Addresses> {
  const { config, folder } = context;
  if (config.natsUrl !== undefined && config.databaseUrl !== undefined) {
    return { natsUrl: config.natsUrl, databaseUrl: config.databaseUrl };
  }
  const own = await chooseOwnServers(folder);
  const natsUrl = config.natsUrl ?? (await superviseNats(context, own));
  stop.throwIfAborted();
  const databaseUrl = config.databaseUrl ?? (await supervisePostgres(context, own));
  return { natsUrl, databaseUrl };
}

async function clearOrphans(childrenFile: string, progress: Progress): Promise<void> {
  const stopped = await stopOrphans(childrenFile);
  if (stopped.length > 0) progress.note(`stopped what the last run left behind: ${stopped.join(', ')}`);
}

/** Port 0 means any: it is chosen here, because all processes of a role share it. */
async function withDoors(config: Config): Promise<Config> {
  const host = config.bind;
  const anyPort = () => findFreePort({ random: Math.random, host });
  const httpPort = config.httpPort === 0 ? await anyPort() : config.httpPort;
  const mqttPort = config.mqttPort === 0 ? await anyPort() : config.mqttPort;
  const consolePort = config.consolePort === 0 ? await anyPort() : config.consolePort;
  await requireFreePort({ port: httpPort, variable: 'TRIBUTARY_HTTP_PORT', flag: '--http-port' }, host);
  await requireFreePort({ port: mqttPort, variable: 'TRIBUTARY_MQTT_PORT', flag: '--mqtt-port' }, host);
  await requireFreePort(
    { port: consolePort, variable: 'TRIBUTARY_CONSOLE_PORT', flag: '--console-port' },
    host,
  );
  if (new Set([httpPort, mqttPort, consolePort]).size < 3) {
    throw new UpError(
      `Ports ${httpPort}, ${mqttPort} and ${consolePort} cannot be shared: set TRIBUTARY_HTTP_PORT, ` +
        'TRIBUTARY_MQTT_PORT and TRIBUTARY_CONSOLE_PORT apart.',
    );
  }
  return Object.freeze({ ...config, httpPort, mqttPort, consolePort });
}

function instanceOf({ config, folder }: UpContext, addresses: Addresses): Instance {
  const host = reachableHost(config.bind);
  return {
    pid: process.pid,
    ...addresses,
    httpUrl: `http://${host}:${config.httpPort}`,
    mqttUrl: `mqtt://${host}:${config.mqttPort}`,
    consoleUrl: `http://${host}:${config.consolePort}`,
    operatorKeyFile: folder.operatorKeyFile,
  };
}
