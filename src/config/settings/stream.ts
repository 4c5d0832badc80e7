import { integer, MiB, setting } from './setting.ts';

/** Publishing, and the stream of what was taken. */
export const streamSettings = {
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
};
