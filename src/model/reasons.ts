/**
 * Why a message is quarantined, in the order in which the worker checks; the first failure wins.
 * `docs/reference/reasons.md` documents each one, and a test ties the two together.
 */
export const reasons = {
  BAD_ENVELOPE: 'the envelope is not a JSON object of the documented form',
  BAD_TOPIC_FORMAT:
    'the topic is not tenant/{tenant_id}/device/{device_id}/{msg_type}, or an identifier in it is not allowed',
  TENANT_MISMATCH: 'subject, topic and envelope name different tenants or devices',
  UNSUPPORTED_MSG_TYPE: 'msg_type is neither telemetry nor heartbeat',
  UNSUPPORTED_ENVELOPE_VERSION: 'version is something other than 1',
  PAYLOAD_TOO_LARGE: 'the payload is larger than the limit',
  MISSING_SITE_ID: 'site_id is absent or not a non-empty string of at most 128 characters',
  TIMESTAMP_INVALID: 'ts cannot be read as a time',
  TIMESTAMP_OUT_OF_RANGE: 'ts lies more than 24 h ahead of arrival, or further back than the retention',
  METRICS_INVALID: 'metrics is absent from telemetry, or is not an object',
  TOO_MANY_METRICS: 'metrics has more keys than the limit',
  METRIC_KEY_INVALID: 'a metric key is empty, too long, repeated or holds a character that cannot be stored',
  METRIC_VALUE_INVALID: 'a metric value is not a number, boolean, string or null that can be stored as sent',
  UNREGISTERED_DEVICE: 'the tenant has no such device',
  TOKEN_NOT_SET: 'the device has no token in the registry',
  TOKEN_MISSING: 'the message carries no provision token',
  TOKEN_INVALID: 'the provision token is not the device’s',
  DEVICE_REVOKED: 'the device is revoked',
  SITE_MISMATCH: 'the device belongs to another site',
  IDENTITY_REUSED: 'the idempotency key was used before with another body',
  RATE_LIMITED: 'the device’s or the tenant’s rate limit was reached',
  STORE_REJECTED: 'the database refused the row',
} as const;

export type Reason = keyof typeof reasons;
