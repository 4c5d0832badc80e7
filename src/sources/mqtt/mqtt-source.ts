import { type EventEmitter, once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Client } from 'aedes';
import type { Republish } from '../../model/republish.ts';
import type { MqttRefusal } from '../../observe/mqtt.ts';
import { createBroker } from './broker.ts';
import type { PacketLimits } from './fixed-header.ts';
import { Ingest } from './ingest.ts';
import {
  type MqttLimits,
  type MqttSource,
  type MqttSourceOptions,
  type MqttTls,
  mqttLimits,
} from './mqtt-source-contract.ts';
import { PacketGuard } from './packet-guard.ts';
import { PartialPackets } from './partial-packets.ts';
import type { Publish } from './publish-packet.ts';
import { PublishWindow } from './publish-window.ts';
import { createSession, type Session } from './session.ts';

export type { MqttLimits, MqttSource, MqttSourceOptions, MqttTls } from './mqtt-source-contract.ts';
export { mqttLimits } from './mqtt-source-contract.ts';

/** Starts the MQTT listener. Rejects when the address cannot be bound. */
export async function startMqttSource(options: MqttSourceOptions): Promise<MqttSource> {
  const source = new Listener(options);
  await source.listen();
  return source;
}

class Listener implements MqttSource {
  readonly #options: MqttSourceOptions;
  readonly #limits: MqttLimits;
  readonly #packetLimits: PacketLimits;
  readonly #window: PublishWindow;
  readonly #partials: PartialPackets;
  readonly #ingest: Ingest;
  readonly #sessions = new Map<object, Session>();
  readonly #broker: ReturnType<typeof createBroker>;
  readonly #server: Server;
  readonly #tlsServer: Server | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #draining: Promise<void> | undefined;

  constructor(options: MqttSourceOptions) {
    const { now, maxInFlight, maxInFlightBytes, receiveTimeoutMs } = options;
    this.#options = options;
    this.#limits = { ...mqttLimits, ...options.limits };
    this.#packetLimits = { ...this.#limits, maxPublishBytes: options.maxPacketBytes };
    this.#window = new PublishWindow({ maxMessages: maxInFlight, maxBytes: maxInFlightBytes });
    const packets = { maxBytes: maxInFlightBytes, timeoutMs: receiveTimeoutMs, clock: now };
    this.#partials = new PartialPackets(packets);
    this.#ingest = new Ingest({ ...options, ...this.#limits, window: this.#window });
    this.#broker = createBroker({
      ...options,
      ...this.#limits,
      ingest: this.#ingest,
      sessionOf: (connection) => this.#sessions.get(connection),
    });
    const connected = (socket: Socket) => this.#connected(socket);
    this.#server = createServer({ noDelay: true }, connected);
    if (options.tls !== undefined) this.#tlsServer = encryptedServer(options.tls, connected);
  }

  get port(): number {
    return portOf(this.#server) ?? this.#options.port;
  }

  get tlsPort(): number | undefined {
    return this.#tlsServer === undefined ? undefined : portOf(this.#tlsServer);
  }

  get connections(): number {
    return this.#sessions.size;
  }

  publish({ topic, payload }: Republish): boolean {
    if (this.#draining !== undefined) return false;
    const packet = {
      cmd: 'publish',
      topic,
      payload: Buffer.from(payload),
      qos: 1,
      retain: false,
      dup: false,
    } as const;
    this.#broker.publish(packet, () => undefined);
    return true;
  }

  async listen(): Promise<void> {
    this.#watch();
    await this.#broker.listen();
    try {
      await this.#bind(this.#server, this.#options.port);
      if (this.#tlsServer !== undefined) await this.#bind(this.#tlsServer, this.#options.tls?.port ?? 0);
    } catch (error) {
      this.#server.close();
      this.#broker.close();
      throw error;
    }
    this.#sweep = setInterval(() => {
      this.#partials.sweep();
      for (const session of this.#sessions.values()) this.#listenFor(session);
    }, 1_000);
  }

  async #bind(server: Server, port: number): Promise<void> {
    server.listen(port, this.#options.host);
    await once(server, 'listening');
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  async #drain(): Promise<void> {
    clearInterval(this.#sweep);
    this.#server.close();
    this.#tlsServer?.close();
    for (const { guard } of this.#sessions.values()) guard.hold();
    const deadline = AbortSignal.timeout(this.#limits.drainTimeoutMs);
    await Promise.race([this.#ingest.idle(), once(deadline, 'abort')]);
    const closed = [...this.#sessions.values()].map(({ guard }) => {
      const close = once(guard, 'close');
      guard.destroy();
      return close;
    });
    await Promise.all(closed);
    await new Promise<void>((resolve) => this.#broker.close(() => resolve()));
  }

  #watch(): void {
    const failed = (client: Client, error: Error) => this.#failed(client, error);
    this.#broker.on('clientError', failed);
    this.#broker.on('connectionError', failed);
    // aedes' types leave this event out; without a listener it would be thrown.
    const emitter: EventEmitter = this.#broker;
    emitter.on('error', (error: Error) =>
      this.#options.log.error({ event: 'mqtt_broker_failed', err: error }, 'mqtt broker failed'),
    );
  }

  #connected(socket: Socket): void {
    const { metrics } = this.#options;
    if (this.#draining !== undefined || this.#sessions.size >= this.#options.maxConnections) {
      metrics.refused('too_many_connections');
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    const remote = `${socket.remoteAddress}:${socket.remotePort}`;
    const guard = new PacketGuard({
      socket,
      limits: this.#packetLimits,
      maxUnacked: this.#limits.maxUnacked,
      window: this.#window,
      partials: this.#partials,
      onPublish: (publish) => this.#publish(session, publish),
      onRelease: (messageId) => session.unreleased.delete(messageId),
      onRefused: (reason) => this.#refused(remote, reason),
    });
    const session = createSession(guard, remote);
    this.#sessions.set(guard, session);
    metrics.connectionOpened();
    guard.once('close', () => this.#closed(session));
    this.#broker.handle(guard);
  }

  /** A fault of ours costs this connection, and not the process with all others. */
  #publish(session: Session, publish: Publish): void {
    try {
      this.#ingest.publish(session, publish);
    } catch (error) {
      const about = { event: 'mqtt_handler_failed', err: error, remote: session.remote };
      this.#options.log.error(about, 'mqtt handler failed');
      session.guard.refuse('refused');
    }
  }

  /**
   * Keep-alive [MQTT-3.1.2-24], once a second. Counted and not taken from the clock, so that a stall of ours is
   * not the clients' silence.
   */
  #listenFor(session: Session): void {
    const { guard, keepAliveSeconds } = session;
    session.silentSeconds = guard.takeHeard() || guard.isHeld ? 0 : session.silentSeconds + 1;
    if (guard.isBlocked && session.silentSeconds > this.#limits.maxBlockedSeconds) guard.destroy();
    else if (keepAliveSeconds > 0 && session.silentSeconds > 1.5 * keepAliveSeconds)
      guard.refuse('keepalive_timeout');
  }

  #closed(session: Session): void {
    this.#sessions.delete(session.guard);
    this.#options.metrics.connectionClosed();
    // At a drain the device is alive and comes back elsewhere: its will would be a lie.
    if (session.guard.sawDisconnect || this.#draining !== undefined) return;
    if (session.connectRefusal === undefined) this.#ingest.publishWill(session);
  }

  #refused(remote: string, reason: MqttRefusal): void {
    this.#options.metrics.refused(reason);
    this.#options.log.debug({ event: 'mqtt_refused', remote, reason }, 'mqtt client refused');
  }

  /** What aedes closes a connection for; the guard's own refusals never come this way. */
  #failed(client: Client, error: Error): void {
    const session = this.#sessions.get(client.conn);
    if (session === undefined) return;
    const reason = session.connectRefusal?.reason ?? reasonOf(error);
    if (reason !== undefined) this.#refused(session.remote, reason);
  }
}

/** Undefined for a connection that was merely lost. */
function reasonOf(error: Error): MqttRefusal | undefined {
  if ('code' in error) return undefined;
  if (error.message === 'connect did not arrive in time') return 'connect_timeout';
  if (error.message === 'connection closed' || error.message === 'drain timeout') return undefined;
  return 'malformed';
}

/** A handshake that fails or lasts costs only its own connection. */
function encryptedServer({ cert, key, clientCa }: MqttTls, connected: (socket: Socket) => void): Server {
  const asked = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const server = createTlsServer({ cert, key, noDelay: true, handshakeTimeout: 10_000, ...asked }, connected);
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : undefined;
}
