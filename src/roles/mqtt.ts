import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../config/settings.ts';
import { withDeadline } from '../lib/deadline.ts';
import { whenAborted } from '../lib/when-aborted.ts';
import { createLog } from '../observe/create-log.ts';
import { createMqttMetrics } from '../observe/mqtt.ts';
import { createRoleRegistry } from '../observe/process.ts';
import { type MqttSource, type MqttTls, startMqttSource } from '../sources/mqtt/mqtt-source.ts';
import { type Door, type DoorOptions, startDoor } from './doors/door.ts';
import { serveRepublish } from './doors/republish.ts';
import { type HealthServer, startHealthServer } from './process/health.ts';
import type { RoleDeps } from './process/role-deps.ts';
import { createRoleId, version } from './process/role-status.ts';
import { readSettingFile } from './process/setting-file.ts';

export interface RunningMqtt {
  readonly port: number;
  /** Acknowledges what is under way, then disconnects everybody. */
  drain(): Promise<void>;
}

/** How long NATS and the registry may hold up the start: without them the listener works, but knows less. */
const firstTryMs = 1_000;

/**
 * The MQTT door. It listens whether NATS and PostgreSQL are there or not: without NATS nothing is acknowledged,
 * without PostgreSQL everybody may connect and the worker judges.
 *
 * @throws Error with one sentence for a port that is taken and for addresses that are missing; the reason of `stop`
 * when that comes before it listens
 */
export async function startMqtt(config: Config, deps: RoleDeps = {}): Promise<RunningMqtt> {
  const { now = () => performance.now(), wallClock = Date.now, random = Math.random } = deps;
  const { stop = new AbortController().signal, log = createLog({ level: config.logLevel }) } = deps;
  const id = createRoleId('mqtt', random);
  const metrics = createRoleRegistry('mqtt', version);
  const { syncAuth } = config;
  const clocks = { now, wallClock, random };
  let listening: MqttSource | undefined;
  const status = () => ({ connections: listening?.connections ?? 0 });
  const options = { config, role: 'mqtt', id, syncAuth, withDevices: true, log, metrics, status } as const;
  const door = startDoor({ ...options, ...clocks });
  // Clients that are waiting come at once; whom the registry does not know yet could not be refused.
  const firstLook = Promise.all([door.tried, door.registry.ready]);
  await withDeadline(Promise.race([firstLook, whenAborted(stop)]), firstTryMs, () => undefined);
  const health = await orDrain(door, () => {
    stop.throwIfAborted();
    return startHealth(config, door, metrics, log);
  });
  const source = await orDrain(door, () => listen(door, { ...options, ...clocks })).catch(async (error) => {
    await health.stop();
    throw portError(error, config);
  });
  listening = source;
  void door.connected.then((nc) => serveRepublish(nc, source));
  const { port } = source;
  log.info({ event: 'ready', role: 'mqtt', id, port, bind: config.bind }, `mqtt ready on port ${port}`);
  return {
    port,
    drain: async () => {
      health.draining();
      await source.drain();
      await door.drain();
      await health.stop();
      log.info({ event: 'drained', role: 'mqtt', id }, 'mqtt drained');
    },
  };
}

/** What cannot be started leaves nothing running. */
async function orDrain<T>(door: Door, start: () => T | Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    await door.drain();
    throw error;
  }
}

function startHealth(config: Config, door: Door, metrics: Registry, log: Logger): HealthServer {
  const whyNotReady = async () => ((await door.isReady()) ? undefined : 'NATS is away');
  const { bind, healthPort: port } = config;
  return startHealthServer({ bind, port, whyNotReady, durability: door.durability, metrics, log });
}

function listen(door: Door, options: DoorOptions): Promise<MqttSource> {
  const { config, log, metrics, now, wallClock, random } = options;
  return startMqttSource({
    intake: door.intake,
    tracing: door.tracer,
    registry: door.registry,
    metrics: createMqttMetrics(metrics),
    log,
    clock: wallClock,
    now,
    random,
    host: config.bind,
    port: config.mqttPort,
    ...tlsOf(config),
    allowAnonymous: config.mqttAnonymous,
    maxConnections: config.mqttMaxConnections,
    maxPacketBytes: config.maxBodyBytes,
    receiveTimeoutMs: config.receiveTimeoutMs,
    // Half, since an envelope is larger than its packet: the publisher's own bound is then never reached.
    maxInFlight: Math.ceil(config.maxInFlight / 2),
    maxInFlightBytes: Math.ceil(config.maxInFlightBytes / 2),
  });
}

/** @throws Error with one sentence when the encrypted door lacks its certificate */
function tlsOf(config: Config): { tls?: MqttTls } {
  if (config.mqttTlsPort === 0) return {};
  const [cert, key] = [readSettingFile(config, 'mqttTlsCert'), readSettingFile(config, 'mqttTlsKey')];
  if (cert === undefined || key === undefined)
    throw new Error(
      'TRIBUTARY_MQTT_TLS_PORT is set: name TRIBUTARY_MQTT_TLS_CERT and TRIBUTARY_MQTT_TLS_KEY, too.',
    );
  const clientCa = readSettingFile(config, 'mqttTlsClientCa')?.toString();
  return { tls: { port: config.mqttTlsPort, cert: cert.toString(), key: key.toString(), clientCa } };
}

function portError(error: unknown, { bind, mqttPort, mqttTlsPort }: Config): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  const isTls = 'port' in error && error.port === mqttTlsPort && mqttTlsPort !== 0;
  const [port, variable] = isTls
    ? [mqttTlsPort, 'TRIBUTARY_MQTT_TLS_PORT']
    : [mqttPort, 'TRIBUTARY_MQTT_PORT'];
  const message = `Port ${port} on ${bind} is taken: stop what listens there, or set ${variable}.`;
  return new Error(message, { cause: error });
}
