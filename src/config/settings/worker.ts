import { burst, day, integer, rate, setting } from './setting.ts';

/** How a worker settles, and what it lets pass. */
export const workerSettings = {
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
};
