import type { Logger } from 'pino';
import type { Intake } from '../../intake/intake.ts';
import type { Republish } from '../../model/republish.ts';
import type { MqttMetrics } from '../../observe/mqtt.ts';
import type { Tracer } from '../../observe/tracer.ts';
import type { DeviceRegistry } from './credentials.ts';

export interface MqttSourceOptions {
  readonly intake: Intake;
  readonly registry: DeviceRegistry;
  readonly metrics: MqttMetrics;
  readonly log: Logger;
  /** Ms since the epoch: previous tokens end at a time of day. */
  readonly clock: () => number;
  /** Ms, monotonic: how long a packet takes. */
  readonly now: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** A second door for the same clients, encrypted; its port 0: any free one. */
  readonly tls?: MqttTls;
  readonly allowAnonymous: boolean;
  readonly maxConnections: number;
  /** Largest PUBLISH, without its fixed header. */
  readonly maxPacketBytes: number;
  /** A packet that has begun must have arrived whole within this time. */
  readonly receiveTimeoutMs: number;
  /** Publishes under way over all clients; beyond, nothing more is read. */
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  readonly tracing?: Pick<Tracer, 'begin'> | undefined;
  readonly limits?: Partial<MqttLimits>;
}

/** PEM. */
export interface MqttTls {
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  /** Whom a client's certificate must come from; without it none is asked for. */
  readonly clientCa?: string | undefined;
}

export interface MqttLimits {
  readonly maxConnectBytes: number;
  readonly maxSubscribeBytes: number;
  /** Publishes of one client under way at most; beyond, it is not read. */
  readonly maxUnacked: number;
  readonly maxUnreleased: number;
  readonly maxFilters: number;
  readonly maxUnsentBytes: number;
  readonly connectTimeoutMs: number;
  readonly secondLookMs: number;
  readonly maxHoldMs: number;
  /** Who does not read its acknowledgements for so long is disconnected. */
  readonly maxBlockedSeconds: number;
  readonly drainTimeoutMs: number;
}

export const mqttLimits: MqttLimits = {
  maxConnectBytes: 16 * 1024,
  maxSubscribeBytes: 8 * 1024,
  maxUnacked: 64,
  maxUnreleased: 1_000,
  maxFilters: 32,
  maxUnsentBytes: 1024 * 1024,
  connectTimeoutMs: 10_000,
  secondLookMs: 1_000,
  maxHoldMs: 10_000,
  maxBlockedSeconds: 60,
  drainTimeoutMs: 10_000,
};

export interface MqttSource {
  readonly port: number;
  /** Of the encrypted door; undefined: there is none. */
  readonly tlsPort: number | undefined;
  /** Open ones. */
  readonly connections: number;
  /** Hands a route's message to this listener's subscribers, at QoS 1 to those who asked for it; waits for none of them. False: it drains. */
  publish(message: Republish): boolean;
  /** Takes no more, lets what is under way finish (its PUBACKs go out), then disconnects everybody. */
  drain(): Promise<void>;
}
