import type { MqttRefusal } from '../../observe/mqtt.ts';
import { InOrder } from './in-order.ts';
import type { PacketGuard } from './packet-guard.ts';
import type { DeviceName, IngestTopic } from './topics.ts';

export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Who a client is, as its CONNECT was judged. */
export type Identity =
  /** No credentials: the worker judges by each payload's token. */
  | { readonly kind: 'anonymous' }
  /** `verified`: the registry was fresh and knew the token; otherwise the worker judges. */
  | {
      readonly kind: 'device';
      readonly device: DeviceName;
      readonly username: string;
      readonly token: string;
      readonly tokenSha256: Uint8Array;
      readonly verified: boolean;
    };

/** One connection, from accept to close. */
export interface Session {
  readonly guard: PacketGuard;
  /** Address and port, for the log. */
  readonly remote: string;
  /** Undefined until CONNECT was accepted. */
  identity: Identity | undefined;
  /** Why CONNECT was refused, with its return code. */
  connectRefusal: { readonly reason: MqttRefusal; readonly returnCode: 2 | 4 | 5 } | undefined;
  will: Will | undefined;
  /** As it was published to last. */
  lastTopic: { readonly text: string; readonly topic: IngestTopic } | undefined;
  /** Silence that the client promised not to exceed; 0: none. */
  keepAliveSeconds: number;
  /** Since anything was heard. */
  silentSeconds: number;
  /** Settles the publishes of this client in the order in which they came [MQTT-4.6.0-2]. */
  readonly inOrder: InOrder;
  /** Ids of QoS 2 publishes that await PUBREL. */
  readonly unreleased: Set<number>;
  /** Filters granted so far, whether or not they were given back. */
  filters: number;
}

export function createSession(guard: PacketGuard, remote: string): Session {
  return {
    guard,
    remote,
    identity: undefined,
    connectRefusal: undefined,
    will: undefined,
    lastTopic: undefined,
    keepAliveSeconds: 0,
    silentSeconds: 0,
    inOrder: new InOrder(),
    unreleased: new Set(),
    filters: 0,
  };
}
