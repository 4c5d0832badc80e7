import type { Logger } from 'pino';
import type { Intake } from '../../../intake/intake.ts';
import type { BridgeMetrics } from '../../../observe/mqtt-bridge.ts';
import type { Tracer } from '../../../observe/tracer.ts';

/** How the broker is reached, and what is asked of it. */
export interface BrokerOptions {
  /** `mqtt:` or `mqtts:`, without credentials. */
  readonly url: URL;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Paths of PEM files; read at each connect, so that renewed ones are taken. */
  readonly tls: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
  };
  readonly version: '5' | '3.1.1';
  readonly filter: string;
  /** Of the shared subscription; undefined: an ordinary one. */
  readonly group: string | undefined;
  /** Messages that the broker may send before the first of them is acknowledged. MQTT 5 only. */
  readonly receiveMaximum: number;
  /** MQTT 5 only; with 3.1.1 the broker decides. */
  readonly sessionExpirySeconds: number;
}

export interface BridgeOptions {
  readonly broker: BrokerOptions;
  /** Take the client ids out of the group, with what waits for them, and do no more. */
  readonly retire: boolean;
  /** One connection for each; the same ones after every restart, and nobody else's. */
  readonly clientIds: readonly string[];
  readonly intake: Intake;
  readonly metrics: BridgeMetrics;
  readonly tracing?: Pick<Tracer, 'begin'> | undefined;
  readonly log: Logger;
  /** Ms since the epoch. */
  readonly clock: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** As node:crypto's randomBytes, for identities. */
  readonly randomBytes: (size: number) => Uint8Array;
  /** Messages under way over all connections; beyond, nothing more is read. */
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  readonly tuning?: Partial<BridgeTuning>;
}

export interface BridgeTuning {
  /** From dialling to the granted subscription. */
  readonly connectTimeoutMs: number;
  readonly keepAliveSeconds: number;
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  readonly drainTimeoutMs: number;
  /** Retiring: when nothing has come for this long, nothing waits any more. */
  readonly quietMs: number;
}

export const bridgeTuning: BridgeTuning = {
  connectTimeoutMs: 10_000,
  keepAliveSeconds: 30,
  reconnectBaseMs: 200,
  reconnectMaxMs: 10_000,
  retryBaseMs: 100,
  retryMaxMs: 5_000,
  drainTimeoutMs: 10_000,
  quietMs: 3_000,
};

export interface MqttBridge {
  /** Connections that are subscribed. */
  readonly connections: number;
  /** Messages that JetStream does not take at present. */
  readonly held: number;
  /** Why no connection is subscribed; undefined when one is. */
  whyAway(): string | undefined;
  /** Resolves when every client id has been taken out of the group; never unless that was asked for. */
  readonly retired: Promise<void>;
  /** Takes no more, acknowledges what JetStream takes, then leaves the broker; the sessions stay. */
  drain(): Promise<void>;
}
