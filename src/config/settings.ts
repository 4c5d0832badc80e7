import Type, { type Static, type TSchema } from 'typebox';

/**
 * Every setting of every role, once: its environment variable, type, bounds, default and description.
 * Its flag is its name in kebab case. `docs/reference/configuration.md` is generated from this table.
 */
export interface Setting<S extends TSchema = TSchema> {
  readonly env: string;
  readonly schema: S;
  /** Undefined: optional, absent unless set. */
  readonly default: Static<S> | undefined;
  readonly about: string;
  /** Redacted wherever it could be printed. */
  readonly secret?: boolean;
}

const setting = <S extends TSchema>(s: Setting<S>): Setting<S> => s;
const integer = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });
const text = Type.String({ minLength: 1 });
const port = integer(0, 65_535);
const rate = Type.Number({ minimum: 0.001, maximum: 10_000_000 });
const burst = integer(1, 100_000_000);
const KiB = 1024;
const MiB = 1024 * KiB;
const day = 86_400_000;

export const settings = {
  // Where things are
  natsUrl: setting({
    env: 'NATS_URL',
    schema: text,
    default: undefined,
    about: 'NATS servers, comma separated. Unset: the one that `tributary up` runs.',
    secret: true,
  }),
  natsMonitorUrl: setting({
    env: 'TRIBUTARY_NATS_MONITOR_URL',
    schema: text,
    default: undefined,
    about:
      'Monitoring address of NATS, http://host:8222: tells how the server syncs, for the durability class.',
  }),
  databaseUrl: setting({
    env: 'DATABASE_URL',
    schema: text,
    default: undefined,
    about: 'PostgreSQL 15 or newer. Unset: the one that `tributary up` runs.',
    secret: true,
  }),
  dataDir: setting({
    env: 'TRIBUTARY_DATA_DIR',
    schema: text,
    default: '.tributary',
    about: 'Folder of `tributary up`: its servers’ data, its lock, its logs.',
  }),
  bind: setting({
    env: 'TRIBUTARY_BIND',
    schema: text,
    default: '127.0.0.1',
    about: 'Address that the doors listen on. Loopback unless set; 0.0.0.0 opens them to the network.',
  }),
  httpPort: setting({
    env: 'TRIBUTARY_HTTP_PORT',
    schema: port,
    default: 8080,
    about: 'Port of the gateway.',
  }),
  mqttPort: setting({
    env: 'TRIBUTARY_MQTT_PORT',
    schema: port,
    default: 1883,
    about: 'Port of the MQTT listener.',
  }),
  consolePort: setting({
    env: 'TRIBUTARY_CONSOLE_PORT',
    schema: port,
    default: 8090,
    about: 'Port of the console.',
  }),
  healthPort: setting({
    env: 'TRIBUTARY_HEALTH_PORT',
    schema: port,
    default: 0,
    about:
      'Port on which a worker, listener or delivery answers /healthz, /readyz and /metrics; 0: none. `up` leaves it out.',
  }),
  logLevel: setting({
    env: 'TRIBUTARY_LOG_LEVEL',
    schema: Type.Union([
      Type.Literal('trace'),
      Type.Literal('debug'),
      Type.Literal('info'),
      Type.Literal('warn'),
      Type.Literal('error'),
    ]),
    default: 'info',
    about: 'Least severe log line that is written: trace, debug, info, warn or error.',
  }),

  // The doors
  maxBodyBytes: setting({
    env: 'TRIBUTARY_MAX_BODY_BYTES',
    schema: integer(KiB, 8 * MiB),
    default: 256 * KiB,
    about: 'Largest single HTTP body (after inflating) or MQTT packet, in bytes.',
  }),
  maxBatchBytes: setting({
    env: 'TRIBUTARY_MAX_BATCH_BYTES',
    schema: integer(KiB, 64 * MiB),
    default: MiB,
    about: 'Largest batch body, in bytes, after inflating.',
  }),
  receiveTimeoutMs: setting({
    env: 'TRIBUTARY_RECEIVE_TIMEOUT_MS',
    schema: integer(1_000, 255_000),
    default: 30_000,
    about: 'A request must have arrived whole within this time, in ms.',
  }),
  syncAuth: setting({
    env: 'TRIBUTARY_SYNC_AUTH',
    schema: Type.Boolean(),
    default: false,
    about: 'Check tokens at the gateway against the cached registry: 401 and 403 at once, not quarantine.',
  }),
  mqttAnonymous: setting({
    env: 'TRIBUTARY_MQTT_ANONYMOUS',
    schema: Type.Boolean(),
    default: true,
    about: 'Accept MQTT clients without credentials: provision_token is in the payload, the worker judges.',
  }),
  mqttMaxConnections: setting({
    env: 'TRIBUTARY_MQTT_MAX_CONNECTIONS',
    schema: integer(1, 1_000_000),
    default: 50_000,
    about: 'MQTT connections that one listener holds at most.',
  }),
  unknownTenantRate: setting({
    env: 'TRIBUTARY_UNKNOWN_TENANT_RATE',
    schema: rate,
    default: 10,
    about: 'Messages per second that all unknown tenants share, per gateway or listener.',
  }),
  unknownTenantBurst: setting({
    env: 'TRIBUTARY_UNKNOWN_TENANT_BURST',
    schema: burst,
    default: 100,
    about: 'Burst that all unknown tenants share.',
  }),

  // Publishing
  publishTimeoutMs: setting({
    env: 'TRIBUTARY_PUBLISH_TIMEOUT_MS',
    schema: integer(100, 60_000),
    default: 1_500,
    about: 'Without a PubAck within this time, in ms, the answer is 503 and the outcome unknown.',
  }),
  maxInFlight: setting({
    env: 'TRIBUTARY_MAX_IN_FLIGHT',
    schema: integer(1, 1_000_000),
    default: 8_192,
    about: 'Messages that one door has under way at most; beyond: 503.',
  }),
  maxInFlightBytes: setting({
    env: 'TRIBUTARY_MAX_IN_FLIGHT_BYTES',
    schema: integer(MiB, 4_096 * MiB),
    default: 64 * MiB,
    about: 'Bytes that one door has under way at most; beyond: 503.',
  }),

  // The stream
  streamMaxBytes: setting({
    env: 'TRIBUTARY_STREAM_MAX_BYTES',
    schema: integer(MiB, Number.MAX_SAFE_INTEGER),
    default: 4_096 * MiB,
    about: 'Bytes that may wait in TELEMETRY; beyond: an honest 503. The server’s own limit gets room above.',
  }),
  streamMaxPerTenant: setting({
    env: 'TRIBUTARY_STREAM_MAX_PER_TENANT',
    schema: integer(1, Number.MAX_SAFE_INTEGER),
    default: 2_000_000,
    about: 'Messages of one tenant that may wait in TELEMETRY. The server’s own limit gets room above.',
  }),
  streamReplicas: setting({
    env: 'TRIBUTARY_STREAM_REPLICAS',
    schema: integer(1, 5),
    default: 1,
    about: 'Replicas of each stream.',
  }),
  ackWaitMs: setting({
    env: 'TRIBUTARY_ACK_WAIT_MS',
    schema: integer(1_000, 600_000),
    default: 30_000,
    about: 'JetStream delivers again what was not acknowledged within this time, in ms.',
  }),
  maxAckPending: setting({
    env: 'TRIBUTARY_MAX_ACK_PENDING',
    schema: integer(1, 1_000_000),
    default: 50_000,
    about: 'Messages under way to all workers at most: ≥ workers × batches in flight × batch size.',
  }),

  canaryIntervalMs: setting({
    env: 'TRIBUTARY_CANARY_INTERVAL_MS',
    schema: integer(0, 3_600_000),
    default: 5_000,
    about:
      'How often a gateway sends itself a message through stream and database, in ms; 0: never. Shown by /flow.',
  }),

  // The worker
  batchSize: setting({
    env: 'TRIBUTARY_BATCH_SIZE',
    schema: integer(1, 10_000),
    default: 1_000,
    about: 'Messages that a worker settles in one transaction at most.',
  }),
  batchLingerMs: setting({
    env: 'TRIBUTARY_BATCH_LINGER_MS',
    schema: integer(0, 5_000),
    default: 20,
    about: 'How long a worker waits for a batch to fill, in ms.',
  }),
  batchesInFlight: setting({
    env: 'TRIBUTARY_BATCHES_IN_FLIGHT',
    schema: integer(1, 16),
    default: 2,
    about: 'Batches that one worker settles at once.',
  }),
  deviceRate: setting({
    env: 'TRIBUTARY_DEVICE_RATE',
    schema: rate,
    default: 5,
    about: 'Messages per second and device, unless tenant or device say otherwise.',
  }),
  deviceBurst: setting({
    env: 'TRIBUTARY_DEVICE_BURST',
    schema: burst,
    default: 20,
    about: 'Messages of one device in a window of burst ÷ rate seconds.',
  }),
  tenantRate: setting({
    env: 'TRIBUTARY_TENANT_RATE',
    schema: rate,
    default: 5_000,
    about: 'Messages per second and tenant, unless the tenant says otherwise.',
  }),
  tenantBurst: setting({
    env: 'TRIBUTARY_TENANT_BURST',
    schema: burst,
    default: 20_000,
    about: 'Messages of one tenant in a window of burst ÷ rate seconds.',
  }),
  maxMetrics: setting({
    env: 'TRIBUTARY_MAX_METRICS',
    schema: integer(1, 10_000),
    default: 256,
    about: 'Metrics in one message at most.',
  }),
  maxSensors: setting({
    env: 'TRIBUTARY_MAX_SENSORS',
    schema: integer(0, 100_000),
    default: 256,
    about: 'Sensors discovered per device at most, unless the device says otherwise.',
  }),
  retentionDays: setting({
    env: 'TRIBUTARY_RETENTION_DAYS',
    schema: integer(1, 36_500),
    default: 400,
    about: 'Telemetry older than this is refused on arrival and dropped when it gets so old, in days.',
  }),
  maxAheadMs: setting({
    env: 'TRIBUTARY_MAX_AHEAD_MS',
    schema: integer(0, 365 * day),
    default: day,
    about: 'How far ahead of its arrival the ts of a message may lie, in ms.',
  }),
  staleAfterMs: setting({
    env: 'TRIBUTARY_STALE_AFTER_MS',
    schema: integer(100, 365 * day),
    default: 300_000,
    about: 'A device is STALE after this time without a message, in ms.',
  }),
  offlineAfterMs: setting({
    env: 'TRIBUTARY_OFFLINE_AFTER_MS',
    schema: integer(100, 365 * day),
    default: 1_800_000,
    about: 'A device is OFFLINE after this time without a message, in ms.',
  }),
  routesMaxBytes: setting({
    env: 'TRIBUTARY_ROUTES_MAX_BYTES',
    schema: integer(MiB, Number.MAX_SAFE_INTEGER),
    default: 512 * MiB,
    about: 'Size of ROUTES, the stream of jobs for routes. What it has no room for becomes a dead letter.',
  }),
  routesMaxPerTenant: setting({
    env: 'TRIBUTARY_ROUTES_MAX_PER_TENANT',
    schema: integer(1, 1_000_000_000),
    default: 200_000,
    about: 'Jobs that one tenant may have waiting in ROUTES; more become dead letters.',
  }),
  deadLetterDays: setting({
    env: 'TRIBUTARY_DEAD_LETTER_DAYS',
    schema: integer(1, 36_500),
    default: 30,
    about: 'How long a dead letter is kept, in days.',
  }),
  deadLettersMaxPerTenant: setting({
    env: 'TRIBUTARY_DEAD_LETTERS_MAX_PER_TENANT',
    schema: integer(1, 100_000_000),
    default: 100_000,
    about: 'Dead letters kept of one tenant at most; the oldest go first.',
  }),
  quarantineDays: setting({
    env: 'TRIBUTARY_QUARANTINE_DAYS',
    schema: integer(1, 36_500),
    default: 30,
    about: 'How long a quarantined message is kept, in days.',
  }),
  quarantineMaxPerTenant: setting({
    env: 'TRIBUTARY_QUARANTINE_MAX_PER_TENANT',
    schema: integer(1, 100_000_000),
    default: 100_000,
    about: 'Quarantined messages kept of one tenant at most; the oldest go first.',
  }),
  quarantineMaxBytesPerTenant: setting({
    env: 'TRIBUTARY_QUARANTINE_MAX_BYTES_PER_TENANT',
    schema: integer(MiB, Number.MAX_SAFE_INTEGER),
    default: 256 * MiB,
    about: 'Bytes of quarantined messages kept of one tenant at most; unknown tenants share an eighth of it.',
  }),
  quarantineMaxUnknown: setting({
    env: 'TRIBUTARY_QUARANTINE_MAX_UNKNOWN',
    schema: integer(1, 100_000_000),
    default: 10_000,
    about: 'Quarantined messages kept of all unknown tenants together.',
  }),

  // Routes and their delivery
  secretsKey: setting({
    env: 'TRIBUTARY_SECRETS_KEY',
    schema: text,
    default: undefined,
    about:
      'Base64 of 32 bytes that seals routes’ secrets: openssl rand -base64 32. Unset: the one in the folder of `up`.',
    secret: true,
  }),
  allowDestinations: setting({
    env: 'TRIBUTARY_ALLOW_DESTINATIONS',
    schema: text,
    default: undefined,
    about:
      'CIDRs that routes may deliver to although they are not public, comma separated: 10.1.0.0/16,fd00::/8.',
  }),
  routesPerTenant: setting({
    env: 'TRIBUTARY_ROUTES_PER_TENANT',
    schema: integer(1, 1_000_000),
    default: 100,
    about:
      'Routes that `tributary route add` lets a tenant have: each is compared with each of its messages.',
  }),
  deliveryMaxWaiting: setting({
    env: 'TRIBUTARY_DELIVERY_MAX_WAITING',
    schema: integer(1_000, 1_000_000_000),
    default: 1_000_000,
    about: 'Jobs of one route that may wait for an attempt; more become dead letters.',
  }),
  deliveryTimeoutMs: setting({
    env: 'TRIBUTARY_DELIVERY_TIMEOUT_MS',
    schema: integer(100, 60_000),
    default: 15_000,
    about: 'A destination must have answered within this time, in ms.',
  }),
  deliveryRetryForMs: setting({
    env: 'TRIBUTARY_DELIVERY_RETRY_FOR_MS',
    schema: integer(1_000, 30 * day),
    default: 26 * 3_600_000,
    about: 'How long a job is tried again before it becomes a dead letter, from its first attempt, in ms.',
  }),
  deliveryRetryMaxMs: setting({
    env: 'TRIBUTARY_DELIVERY_RETRY_MAX_MS',
    schema: integer(1_000, day),
    default: 3_600_000,
    about: 'Two attempts of a job lie this far apart at most, unless Retry-After says otherwise, in ms.',
  }),
  deliveryPerRoute: setting({
    env: 'TRIBUTARY_DELIVERY_PER_ROUTE',
    schema: integer(1, 1_000),
    default: 16,
    about: 'Attempts of one route under way at most, per delivery process.',
  }),
  deliveryPerDestination: setting({
    env: 'TRIBUTARY_DELIVERY_PER_DESTINATION',
    schema: integer(1, 10_000),
    default: 32,
    about: 'Attempts under way of all routes of a tenant that go to one host and port, per delivery process.',
  }),
  deliveryInFlight: setting({
    env: 'TRIBUTARY_DELIVERY_IN_FLIGHT',
    schema: integer(1, 100_000),
    default: 512,
    about: 'Attempts under way at most, per delivery process; tenants take turns.',
  }),

  // How many, under `up`
  gateways: setting({
    env: 'TRIBUTARY_GATEWAYS',
    schema: integer(0, 64),
    default: 0,
    about: 'Gateways that `up` runs on the one HTTP port; 0: one for every four cores.',
  }),
  workers: setting({
    env: 'TRIBUTARY_WORKERS',
    schema: integer(0, 64),
    default: 0,
    about: 'Workers that `up` runs; 0: one for every two cores.',
  }),
  deliveries: setting({
    env: 'TRIBUTARY_DELIVERIES',
    schema: integer(1, 64),
    default: 1,
    about: 'Delivery processes that `up` runs.',
  }),
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

type Value<S> = S extends Setting<infer T extends TSchema> ? Static<T> : never;
/** Names of settings without a default. */
type OptionalName = 'natsUrl' | 'natsMonitorUrl' | 'databaseUrl' | 'secretsKey' | 'allowDestinations';

/** All settings, checked and frozen. */
export type Config = {
  readonly [K in Exclude<SettingName, OptionalName>]: Value<(typeof settings)[K]>;
} & {
  readonly [K in OptionalName]: Value<(typeof settings)[K]> | undefined;
};
