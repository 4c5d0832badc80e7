import { join } from 'node:path';
import { clusterSize } from './cluster.ts';

export interface StackShape {
  /** Connections between members, and to the doors, pass through proxies. */
  readonly proxied: boolean;
  /** TELEMETRY holds less than a trial sends. */
  readonly smallStream: boolean;
  /** The servers' data lies on file systems that a fault can fill. */
  readonly smallDisks: boolean;
  /** The wall clocks of the roles and of PostgreSQL can be set. */
  readonly fakedClocks: boolean;
  /** Routes deliver to a receiver on loopback. */
  readonly routed: boolean;
  /** Devices publish to a Mosquitto, and bridges take it from there; there is no other door. */
  readonly bridged: boolean;
  /** One bridge with a subscription of its own, instead of several that share one. */
  readonly plainSubscription: boolean;
  /** Three nats-servers, each with every stream. */
  readonly clustered: boolean;
}

export interface RoleAddresses {
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly folder: string;
}

/** Of the ack wait: what a killed worker held comes again after this time, so that a trial need not wait long. */
const ackWaitMs = 1_000;
const mebibyte = 1024 ** 2;
/** Seals the routes' secrets of every stack: no other one has anything to do with them. */
export const secretsKey = Buffer.alloc(32, 0x4b);

/**
 * What the roles run with: nobody is rate limited, and batches are small so that many are under way when a fault
 * strikes. Settings of the user's environment do not reach them, or a seed would not mean the same everywhere.
 */
export function roleSettings(shape: StackShape, addresses: RoleAddresses): Record<string, string> {
  return {
    NATS_URL: addresses.natsUrl,
    DATABASE_URL: addresses.databaseUrl,
    TRIBUTARY_DATA_DIR: join(addresses.folder, 'data'),
    TRIBUTARY_ACK_WAIT_MS: String(ackWaitMs),
    TRIBUTARY_BATCH_SIZE: '100',
    TRIBUTARY_DEVICE_RATE: '1000000',
    TRIBUTARY_DEVICE_BURST: '10000000',
    TRIBUTARY_TENANT_RATE: '1000000',
    TRIBUTARY_TENANT_BURST: '10000000',
    // Nothing is evicted: each refused message has to be found.
    TRIBUTARY_QUARANTINE_MAX_PER_TENANT: '100000000',
    TRIBUTARY_QUARANTINE_MAX_BYTES_PER_TENANT: String(1024 ** 4),
    ...(shape.routed
      ? {
          TRIBUTARY_ALLOW_DESTINATIONS: '127.0.0.0/8',
          TRIBUTARY_DELIVERY_RETRY_MAX_MS: '1000',
          TRIBUTARY_SECRETS_KEY: secretsKey.toString('base64'),
        }
      : {}),
    ...(shape.clustered ? { TRIBUTARY_STREAM_REPLICAS: String(clusterSize) } : {}),
    TRIBUTARY_STREAM_MAX_BYTES: String(shape.smallStream ? mebibyte : 1024 * mebibyte),
  };
}

/** Two sessions for each bridge that shares its subscription. */
export function bridgeSettings(
  { plainSubscription }: StackShape,
  brokerUrl: string,
  name: string,
): Record<string, string> {
  return {
    TRIBUTARY_BRIDGE_URL: brokerUrl,
    TRIBUTARY_BRIDGE_CLIENT_ID: name,
    TRIBUTARY_BRIDGE_SHARED: plainSubscription ? 'no' : 'yes',
    TRIBUTARY_BRIDGE_CONNECTIONS: plainSubscription ? '1' : '2',
  };
}

/** A bridge's client ids. */
export const sessionsOf = ({ plainSubscription }: StackShape, bridge: string) =>
  plainSubscription ? [`${bridge}-1`] : [`${bridge}-1`, `${bridge}-2`];

/** Of the environment only what every program needs. */
export function plainEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const wanted = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL'];
  return Object.fromEntries(
    wanted.flatMap((name) => (name in environment ? [[name, environment[name]]] : [])),
  );
}
