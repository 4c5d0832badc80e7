import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readyOrWhyNot, startChild, stopChild } from '../../roles/up/child-process.ts';
import { acceptsConnections } from '../../roles/up/ports.ts';
import { type BrokerTap, createBrokerTap, numbersIn } from './broker-tap.ts';
import type { Launched } from './member.ts';
import { startProxy, type TcpProxy } from './proxy.ts';

/** One kill -9 of the broker. */
export interface BrokerDeath {
  /** What has a later PUBACK has it from the next life; on the monotonic clock. */
  readonly goneAtMs: number;
  /** Numbers of the messages in the store as it lay on the disk. */
  readonly saved: ReadonlySet<number>;
  /** How old the store was. */
  readonly storeAgeMs: number | undefined;
}

/** What tells a message that the broker lost from one that we lost. */
export interface BrokerEvidence extends Omit<BrokerTap, 'watch'> {
  /** Bridges share a subscription, which Mosquitto 2.0 does not write into its store. */
  readonly isShared: boolean;
  readonly deaths: readonly BrokerDeath[];
}

/** A Mosquitto that keeps what it acknowledges as docs/mqtt-bridge.md tells to, and the way by which bridges reach it. */
export interface Broker {
  /** For devices. */
  readonly url: string;
  /** For bridges; what passes there is seen. */
  readonly bridgeUrl: string;
  readonly evidence: BrokerEvidence;
  launch(): Promise<Launched>;
  /** Whether the store on the disk holds this client's session. */
  hasSession(clientId: string): boolean;
  close(): Promise<void>;
}

export interface BrokerOptions {
  readonly searchPath: string;
  readonly folder: string;
  readonly port: number;
  readonly isShared: boolean;
  readonly now: () => number;
}

export const brokerMissing =
  'mosquitto is not installed (Debian: apt-get install mosquitto), and faults of the bridge need it';

/** Debian keeps it where only root looks. */
export function findBroker(searchPath: string): string | undefined {
  return Bun.which('mosquitto', { PATH: `${searchPath}:/usr/sbin:/usr/local/sbin` }) ?? undefined;
}

const readyTimeoutMs = 10_000;
const stopWaitMs = 10_000;
/** What it has answered before it died is read by then. */
const lastWordsMs = 50;

export async function createBroker({
  searchPath,
  folder,
  port,
  isShared,
  now,
}: BrokerOptions): Promise<Broker> {
  const binary = findBroker(searchPath);
  if (binary === undefined) throw new Error(brokerMissing);
  const store = join(folder, 'broker');
  const config = join(folder, 'mosquitto.conf');
  mkdirSync(store);
  writeFileSync(config, configOf(port, store));
  const saved = join(store, 'mosquitto.db');
  const tap = createBrokerTap(now);
  const proxy: TcpProxy = await startProxy({ port, watch: tap.watch });
  const deaths: BrokerDeath[] = [];
  const died = () => {
    const exists = existsSync(saved);
    deaths.push({
      goneAtMs: now(),
      saved: new Set(exists ? numbersIn(readFileSync(saved)) : []),
      storeAgeMs: exists ? Date.now() - statSync(saved).mtimeMs : undefined,
    });
  };
  return {
    url: `mqtt://127.0.0.1:${port}`,
    bridgeUrl: `mqtt://127.0.0.1:${proxy.port}`,
    evidence: { ...tap, isShared, deaths },
    launch: async () => {
      const logFile = join(folder, 'logs', 'mosquitto.log');
      const child = startChild({ command: [binary, '-c', config], logFile, signalWhenParentDies: 'TERM' });
      const listens = () => acceptsConnections(port);
      const why = await readyOrWhyNot(child.exited, listens, readyTimeoutMs);
      if (why !== 'ready') {
        await stopChild(child, []);
        throw new Error(`mosquitto does not run: ${why}; see ${logFile}`);
      }
      return {
        pid: child.pid,
        exited: child.exited,
        stop: () => stopChild(child, [{ signal: 'SIGTERM', waitMs: stopWaitMs }]),
        kill: async () => {
          const exit = await stopChild(child, []);
          await Bun.sleep(lastWordsMs);
          died();
          return exit;
        },
      };
    },
    hasSession: (clientId) => existsSync(saved) && readFileSync(saved).includes(clientId),
    close: () => proxy.close(),
  };
}

function configOf(port: number, store: string): string {
  return [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    // As another user, which it becomes when root starts it, it could not enter the folder.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    'persistence true',
    `persistence_location ${store}/`,
    'autosave_interval 1',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    '',
  ].join('\n');
}
