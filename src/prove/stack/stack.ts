import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { ChildExit } from '../../roles/up/child-process.ts';
import { findNatsServer } from '../../roles/up/nats-binary.ts';
import { findFreePort } from '../../roles/up/ports.ts';
import { migrate } from '../../store/migrate.ts';
import { createPool } from '../../store/pool.ts';
import { connectNats } from '../../stream/connection.ts';
import { oldestForClusters } from '../../stream/durability.ts';
import { type Door, doors } from '../load/message.ts';
import { type Broker, type BrokerEvidence, createBroker } from './broker.ts';
import { createNatsCluster, type NatsCluster, whenCurrent, whenJetStreamAnswers } from './cluster.ts';
import { createFakedClocks, withoutLeftovers } from './faked-clock.ts';
import { type Links, startLinks } from './links.ts';
import { createMember, type Member, type MemberKind } from './member.ts';
import type { ProvenRole } from './proven-role.ts';
import { whenReady } from './ready.ts';
import { createRoles, databaseName } from './roles.ts';
import {
  createDatabase,
  launchNats,
  launchPostgres,
  natsFolder,
  natsUrl,
  postgresFolder,
  postgresUrl,
} from './servers.ts';
import type { StackShape } from './settings.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

export interface StackOptions {
  readonly shape: StackShape;
  readonly counts: Readonly<Record<ProvenRole, number>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly roleCommand: (role: ProvenRole) => readonly string[];
  readonly random: () => number;
  readonly now: () => number;
  readonly log: Logger;
}

/** NATS, PostgreSQL and the roles as processes of their own, with everything they keep in one temporary folder. */
export interface Stack {
  readonly shape: StackShape;
  readonly folder: string;
  readonly members: readonly Member[];
  membersOf(kind: MemberKind): readonly Member[];
  readonly links: Links | undefined;
  /** Where the stack is one on a cluster. */
  readonly cluster: Pick<NatsCluster, 'isolate' | 'rejoin'> | undefined;
  readonly now: () => number;
  readonly disks: Readonly<Record<'nats' | 'postgres', SmallDisk>> | undefined;
  /** Sets a member's wall clock ahead of the true time, or behind. Needs `shape.fakedClocks`. */
  setClock(name: string, aheadMs: number): void;
  readonly httpUrls: readonly string[];
  readonly mqttUrls: readonly string[];
  /** What messages can be sent by. */
  readonly doors: readonly Door[];
  /** What is known of the broker, where there is one: then it is the only door. */
  readonly broker: BrokerEvidence | undefined;
  /** Connections for looking, past the proxies. */
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  /** Processes that ended without being asked to, since the last call. */
  takeCrashes(): string[];
  /** Ends every process at once; the folder goes too, unless it is to be kept. */
  dispose(keepFolder: boolean): Promise<void>;
}

const jetStreamWithinMs = 60_000;

export async function startStack(options: StackOptions): Promise<Stack> {
  await using cleanup = new AsyncDisposableStack();
  const folder = makeFolder();
  let keep = false;
  cleanup.defer(() => {
    if (!keep) rmSync(folder, { recursive: true, force: true });
  });
  const disks = options.shape.smallDisks ? mountDisks(folder) : undefined;
  cleanup.defer(() => Object.values(disks ?? {}).forEach((disk) => void disk.unmount()));
  const clocks = options.shape.fakedClocks ? createFakedClocks(join(folder, 'clocks')) : undefined;
  const crashes: string[] = [];
  const onCrash = (name: string, { code, signal }: ChildExit) =>
    void crashes.push(`${name} ended by itself with ${signal ?? `exit code ${code}`}`);
  const member = (kind: MemberKind, name: string, launch: Parameters<typeof createMember>[0]['launch']) => {
    const tidy = clocks === undefined ? launch : async () => withoutLeftovers(await launch());
    const made = createMember({ kind, name, launch: tidy, onCrash, now: options.now });
    cleanup.defer(() => endMember(made));
    return made;
  };
  const ports = createPorts(options.random);
  const postgresPort = await ports();
  const searchPath = options.environment.PATH ?? '';
  const binary = await findNatsServer({
    searchPath,
    programsDir: join(folder, 'programs'),
    progress: { step: (_what, work) => work() },
    ...(options.shape.clustered ? { oldest: oldestForClusters } : {}),
  });
  const cluster = options.shape.clustered ? await createNatsCluster({ binary, folder, ports }) : undefined;
  if (cluster !== undefined) cleanup.defer(() => cluster.close());
  const servers = cluster?.servers ?? [await loneServer({ binary, folder, ports })];
  const nats = servers.map(({ name, launch }) => member('nats', name, launch));
  const natsPorts = servers.map(({ port }) => port);
  const prefix = clocks?.clockOf('postgres', { threaded: false }).prefix ?? [];
  const postgres = member(
    'postgres',
    'postgres',
    launchPostgres({ folder, port: postgresPort, prefix, searchPath }),
  );
  await Promise.all([...nats, postgres].map((server) => server.start()));
  await createDatabase(postgresPort, databaseName);
  const { log } = options;
  const pool = createPool({
    databaseUrl: postgresUrl(postgresPort, databaseName),
    max: 4,
    name: 'tributary prove',
    log,
  });
  cleanup.defer(() => pool.end());
  await migrate(pool);
  const nc = await connectNats({ url: natsUrl(natsPorts), name: 'tributary prove', log });
  cleanup.defer(() => nc.close());
  await whenJetStreamAnswers(nc, { timeoutMs: jetStreamWithinMs, now: options.now });
  const doorPorts = await doorPortsFor(options, ports);
  const broker = options.shape.bridged
    ? await createBroker({
        searchPath,
        folder,
        port: await ports(),
        isShared: !options.shape.plainSubscription,
        now: options.now,
      })
    : undefined;
  if (broker !== undefined) cleanup.defer(() => broker.close());
  const brokers = broker === undefined ? [] : [member('broker', 'mosquitto', broker.launch)];
  await Promise.all(brokers.map((each) => each.start()));
  const links = options.shape.proxied
    ? await startLinks({ natsPort: natsPorts[0] ?? 0, postgresPort, ...doorPorts })
    : undefined;
  if (links !== undefined) cleanup.defer(() => links.close());
  const roles = createRoles(
    { ...options, folder, links, natsPorts, postgresPort, doorPorts, broker, clocks },
    member,
  );
  await Promise.all(roles.map((role) => role.start()));
  await whenReady({ nc, roles, doorPorts, broker, shape: options.shape, folder, now: options.now });
  if (cluster !== undefined) {
    const why = await whenCurrent(nc, { timeoutMs: jetStreamWithinMs, now: options.now });
    if (why !== undefined) throw new Error(`the cluster is not ready: ${why}; see ${folder}/logs`);
  }
  const owned = cleanup.move();
  const members = [...roles, ...brokers, ...nats, postgres];
  return {
    shape: options.shape,
    folder,
    members,
    membersOf: (kind) => members.filter((each) => each.kind === kind),
    links,
    cluster,
    now: options.now,
    disks,
    setClock: (name, aheadMs) => {
      if (clocks === undefined) throw new Error('the stack has no clocks that can be set');
      clocks.set(name, aheadMs);
    },
    httpUrls: (links?.gateways ?? doorPorts.gateway).map((port) => `http://127.0.0.1:${port}`),
    mqttUrls: mqttUrlsOf(broker, links, doorPorts),
    doors: options.shape.bridged ? ['mqtt'] : doors,
    broker: broker?.evidence,
    nc,
    pool,
    takeCrashes: () => crashes.splice(0),
    dispose: async (keepFolder) => {
      keep = keepFolder;
      await owned.disposeAsync();
    },
  };
}

/** PostgreSQL's user must be able to pass through it. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-prove-'));
  chmodSync(folder, 0o711);
  mkdirSync(join(folder, 'logs'));
  mkdirSync(postgresFolder(folder), { mode: 0o711 });
  return folder;
}

async function loneServer(options: {
  readonly binary: string;
  readonly folder: string;
  readonly ports: () => Promise<number>;
}) {
  const { binary, folder } = options;
  const port = await options.ports();
  const logFile = join(folder, 'logs', 'nats-server.log');
  return { name: 'nats', port, launch: launchNats({ binary, storeDir: natsFolder(folder), port, logFile }) };
}

/** Large enough for some hundred trials, and filled within a moment. */
function mountDisks(folder: string) {
  return {
    nats: mountSmallDisk(natsFolder(folder), 64),
    postgres: mountSmallDisk(postgresFolder(folder), 256),
  };
}

/** Ports that nobody listens on, each given out once. */
function createPorts(random: () => number): () => Promise<number> {
  const given = new Set<number>();
  return async () => {
    for (;;) {
      const port = await findFreePort({ random });
      if (given.has(port)) continue;
      given.add(port);
      return port;
    }
  };
}

/** With a broker it is the only door. */
async function doorPortsFor(
  { shape, counts }: Pick<StackOptions, 'shape' | 'counts'>,
  ports: () => Promise<number>,
): Promise<{ gateway: number[]; mqtt: number[] }> {
  if (shape.bridged) return { gateway: [], mqtt: [] };
  return { gateway: await portsFor(counts.gateway, ports), mqtt: await portsFor(counts.mqtt, ports) };
}

function mqttUrlsOf(
  broker: Broker | undefined,
  links: Links | undefined,
  { mqtt }: { readonly mqtt: readonly number[] },
): string[] {
  if (broker !== undefined) return [broker.url];
  return (links?.mqtts ?? mqtt).map((port) => `mqtt://127.0.0.1:${port}`);
}

async function portsFor(count: number, ports: () => Promise<number>): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) found.push(await ports());
  return found;
}

/** What it keeps is thrown away, so nobody waits for an orderly end. */
async function endMember(member: Member): Promise<void> {
  member.signal('SIGCONT');
  await (member.kind === 'postgres' ? member.stop() : member.kill());
}
