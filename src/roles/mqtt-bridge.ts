import { randomBytes } from 'node:crypto';
import type { Config } from '../config/settings.ts';
import { withDeadline } from '../lib/deadline.ts';
import { createRandomPool } from '../lib/random-pool.ts';
import { whenAborted } from '../lib/when-aborted.ts';
import { createLog } from '../observe/create-log.ts';
import { createBridgeMetrics } from '../observe/mqtt-bridge.ts';
import { createRoleRegistry } from '../observe/process.ts';
import { type BridgeOptions, type MqttBridge, startMqttBridge } from '../sources/mqtt/bridge/mqtt-bridge.ts';
import { bridgeClientIds, bridgedBroker } from './doors/bridged-broker.ts';
import { type Door, startDoor } from './doors/door.ts';
import { type HealthServer, startHealthServer } from './process/health.ts';
import type { RoleDeps, RoleInstruments } from './process/role-deps.ts';
import { createRoleId, version } from './process/role-status.ts';

export interface RunningMqttBridge {
  /** Resolves when it was asked to retire, and has. */
  readonly done: Promise<void>;
  /** Acknowledges what JetStream takes, then leaves the broker. */
  drain(): Promise<void>;
}

/** How long the first attempt at NATS may hold up the first connection to the broker. */
const firstTryMs = 2_000;

/**
 * Takes what devices publish at somebody else's broker. It runs whether broker, NATS and PostgreSQL are there or not:
 * without NATS nothing is acknowledged to the broker, which keeps it.
 *
 * @throws ConfigError for settings that do not go together and for files that cannot be read; Error with one sentence for a
 * port that is taken and for addresses that are missing
 */
export async function startMqttBridgeRole(config: Config, deps: RoleDeps = {}): Promise<RunningMqttBridge> {
  const { now = () => performance.now(), wallClock = Date.now, random = Math.random } = deps;
  const { stop = new AbortController().signal, log = createLog({ level: config.logLevel }) } = deps;
  const broker = bridgedBroker(config);
  const clientIds = bridgeClientIds(config);
  const id = createRoleId('mqtt-bridge', random);
  const metrics = createRoleRegistry('mqtt-bridge', version);
  let bridge: MqttBridge | undefined;
  const held = () => bridge?.held ?? 0;
  const status = () => ({ broker: broker.url.host, connections: bridge?.connections ?? 0, held: held() });
  const instruments = { log, metrics, now, wallClock, random };
  // No check of tokens here: the broker has answered the device, so what is wrong is quarantined.
  const checks = { withDevices: false, syncAuth: false };
  const door = startDoor({ config, role: 'mqtt-bridge', id, status, ...checks, ...instruments });
  const why = () => (bridge === undefined ? 'not started yet' : bridge.whyAway());
  const health = await startHealth(config, door, why, instruments).catch(async (error) => {
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
  const running = startBridge(config, door, { ...instruments, broker, clientIds, metrics: bridgeMetrics });
  bridge = running;
  const about = { event: 'ready', role: 'mqtt-bridge', id, broker: broker.url.host, clientIds };
  log.info(about, `mqtt-bridge reads from ${broker.url.host}`);
  return {
    done: running.retired,
    drain: async () => {
      health.draining();
      await running.drain();
      await door.drain();
      await health.stop();
      log.info({ event: 'drained', role: 'mqtt-bridge', id }, 'mqtt-bridge drained');
    },
  };
}

async function startHealth(
  config: Config,
  door: Door,
  whyAway: () => string | undefined,
  { log, metrics }: Pick<RoleInstruments, 'log' | 'metrics'>,
): Promise<HealthServer> {
  const whyNotReady = async () => {
    if (!(await door.isReady())) return 'NATS is away';
    const why = whyAway();
    return why === undefined ? undefined : `the broker is away: ${why}`;
  };
  const { bind, healthPort: port } = config;
  return startHealthServer({ bind, port, whyNotReady, durability: door.durability, metrics, log });
}

type Given = Pick<BridgeOptions, 'broker' | 'clientIds' | 'metrics' | 'log' | 'random'> &
  Pick<RoleInstruments, 'wallClock'>;

function startBridge(
  { maxInFlight, maxInFlightBytes, bridgeRetire }: Config,
  door: Door,
  given: Given,
): MqttBridge {
  return startMqttBridge({
    ...given,
    retire: bridgeRetire,
    clock: given.wallClock,
    intake: door.intake,
    tracing: door.tracer,
    randomBytes: createRandomPool(randomBytes),
    // Half, since an envelope is larger than its packet: the publisher's own bound is then never reached.
    maxInFlight: Math.ceil(maxInFlight / 2),
    maxInFlightBytes: Math.ceil(maxInFlightBytes / 2),
  });
}
