import { day, integer, setting, text } from './setting.ts';

/** Routes and their delivery. */
export const deliverySettings = {
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
};
