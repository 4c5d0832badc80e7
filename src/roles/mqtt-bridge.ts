import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Config } from '../config/settings.ts';
import { withDeadline } from '../lib/deadline.ts';
import { createRandomPool } from '../lib/random-pool.ts';
import { whenAborted } from '../lib/when-aborted.ts';
import { createLog } from '../observe/create-log.ts';
import { createBridgeMetrics } from '../observe/mqtt-bridge.ts';
import { createRoleRegistry } from '../observe/process.ts';
import {
  type BridgeOptions,
  type BrokerOptions,
  type MqttBridge,
  startMqttBridge,
} from '../sources/mqtt/bridge/mqtt-bridge.ts';
import { startDoor } from './door.ts';
import { startHealthServer } from './health.ts';
import type { RoleDeps } from './role-deps.ts';
import { createRoleId, version } from './role-status.ts';

export interface RunningMqttBridge {
  readonly connections: number;
  /** Acknowledges what JetStream takes, then leaves the broker. */
  drain(): Promise<void>;
}

/** How long the first attempt at NATS may hold up the first connection to the broker. */
const firstTryMs = 2_000;

/**
 * Takes what devices publish at somebody else's broker. It runs whether broker, NATS and PostgreSQL are there or not:
 * without NATS nothing is acknowledged to the broker, which keeps it.
 *
 * @throws Error with one sentence for settings that do not go together, for files that cannot be read, for a port that
 * is taken and for addresses that are missing
 */
export async function startMqttBridgeRole(config: Config, deps: RoleDeps = {}): Promise<RunningMqttBridge> {
  const { now = () => performance.now(), wallClock = Date.now, random = Math.random } = deps;
  const { stop = new AbortController().signal, log = createLog({ level: config.logLevel }) } = deps;
  const broker = brokerOf(config);
  const clientIds = clientIdsOf(config);
  const id = createRoleId('mqtt-bridge', random);
  const metrics = createRoleRegistry('mqtt-bridge', version);
  let bridge: MqttBridge | undefined;
  const held = () => bridge?.held ?? 0;
  const status = () => ({ broker: broker.url.host, connections: bridge?.connections ?? 0, held: held() });
  const instruments = { log, metrics, now, wallClock, random };
  // No check of tokens here: the broker has answered the device, so what is wrong is quarantined.
  const checks = { withDevices: false, syncAuth: false };
  const door = startDoor({ config, role: 'mqtt-bridge', id, status, ...checks, ...instruments });
  const whyNotReady = async () => {
    if (!(await door.isReady())) return 'NATS is away';
    const why = bridge === undefined ? 'not started yet' : bridge.whyAway();
    return why === undefined ? undefined : `the broker is away: ${why}`;
  };
  const health = await startHealth().catch(async (error) => {
    await door.drain();
    throw error;
  });
  // Not to receive at once what could only be held back.
  await withDeadline(Promise.race([door.tried, whenAborted(stop)]), firstTryMs, () => undefined);
  if (stop.aborted) {
    await Promise.all([door.drain(), health.stop()]);
    stop.throwIfAborted();
  }
  const bridgeMetrics = createBridgeMetrics(metrics, held);
  const running = startMqttBridge({
    ...boundsOf(config),
    broker,
    clientIds,
    log,
    random,
    clock: wallClock,
    metrics: bridgeMetrics,
    intake: door.intake,
    randomBytes: createRandomPool(randomBytes),
  });
  bridge = running;
  const about = { event: 'ready', role: 'mqtt-bridge', id, broker: broker.url.host, clientIds };
  log.info(about, `mqtt-bridge reads from ${broker.url.host}`);
  return {
    get connections() {
      return running.connections;
    },
    drain: async () => {
      health.draining();
      await running.drain();
      await door.drain();
      await health.stop();
      log.info({ event: 'drained', role: 'mqtt-bridge', id }, 'mqtt-bridge drained');
    },
  };

  async function startHealth() {
    stop.throwIfAborted();
    const { bind, healthPort: port } = config;
    return startHealthServer({ bind, port, whyNotReady, durability: door.durability, metrics, log });
  }
}

/** Half, since an envelope is larger than its packet: the publisher's own bound is then never reached. */
function boundsOf({
  maxInFlight,
  maxInFlightBytes,
}: Config): Pick<BridgeOptions, 'maxInFlight' | 'maxInFlightBytes'> {
  return { maxInFlight: Math.ceil(maxInFlight / 2), maxInFlightBytes: Math.ceil(maxInFlightBytes / 2) };
}

/** @throws Error with one sentence */
function brokerOf(config: Config): BrokerOptions {
  const { bridgeTlsCa: ca, bridgeTlsCert: cert, bridgeTlsKey: key } = config;
  for (const path of [ca, cert, key]) if (path !== undefined) requireReadable(path);
  if ((cert === undefined) !== (key === undefined))
    throw new Error(
      'TRIBUTARY_BRIDGE_TLS_CERT and TRIBUTARY_BRIDGE_TLS_KEY go together: set both or neither.',
    );
  return {
    url: urlOf(config),
    username: config.bridgeUsername,
    password: config.bridgePassword,
    tls: { ca, cert, key },
    version: config.bridgeMqttVersion,
    filter: config.bridgeFilter,
    group: config.bridgeShared ? config.bridgeGroup : undefined,
    receiveMaximum: config.bridgeInFlight,
    sessionExpirySeconds: config.bridgeSessionExpirySeconds,
  };
}

function urlOf({ bridgeUrl }: Config): URL {
  if (bridgeUrl === undefined)
    throw new Error('TRIBUTARY_BRIDGE_URL is not set: name the broker to read from, mqtt://host:1883.');
  const url = URL.canParse(bridgeUrl) ? new URL(bridgeUrl) : undefined;
  // Not shown: what does not parse may hold a password as well.
  if (url === undefined || !['mqtt:', 'mqtts:'].includes(url.protocol) || url.hostname === '')
    throw new Error('TRIBUTARY_BRIDGE_URL is no broker’s address: mqtt://host:1883 or mqtts://host:8883.');
  if (url.username === '' && url.password === '') return url;
  const remedy = 'put them into TRIBUTARY_BRIDGE_USERNAME and TRIBUTARY_BRIDGE_PASSWORD';
  throw new Error(`TRIBUTARY_BRIDGE_URL holds credentials: ${remedy}.`);
}

function clientIdsOf({ bridgeClientId, bridgeConnections, bridgeShared }: Config): string[] {
  if (!bridgeShared && bridgeConnections > 1)
    throw new Error(
      `TRIBUTARY_BRIDGE_SHARED=no with TRIBUTARY_BRIDGE_CONNECTIONS=${bridgeConnections}: each connection would get every message. Set it to 1.`,
    );
  const prefix = bridgeClientId ?? `tributary-bridge-${hostname()}`;
  return Array.from({ length: bridgeConnections }, (_, index) => `${prefix}-${index + 1}`);
}

function requireReadable(path: string): void {
  try {
    readFileSync(path);
  } catch (error) {
    throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}
