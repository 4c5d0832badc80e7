import Type from 'typebox';
import { burst, integer, KiB, MiB, rate, setting, text } from './setting.ts';

/** What the doors take and hold. */
export const doorSettings = {
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
  receiptKey: setting({
    env: 'TRIBUTARY_RECEIPT_KEY',
    schema: text,
    default: undefined,
    about:
      'Base64 of 32 bytes that signs receipts, the same for all gateways: openssl rand -base64 32. Unset: no receipts.',
    secret: true,
  }),
  maxWaiting: setting({
    env: 'TRIBUTARY_MAX_WAITING',
    schema: integer(0, 1_000_000),
    default: 5_000,
    about: 'Messages for whose outcome (Prefer: wait) one gateway waits at most; more are answered at once.',
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
};
