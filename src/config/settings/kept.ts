import { integer, MiB, setting } from './setting.ts';

/** How much is kept beside telemetry, and for how long. */
export const keptSettings = {
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
  deliveredHours: setting({
    env: 'TRIBUTARY_DELIVERED_HOURS',
    schema: integer(1, 8_760),
    default: 24,
    about: 'How long receipts list what routes have delivered, in hours.',
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
};
