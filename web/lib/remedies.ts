/** What to do about each reason: the words of docs/reference/reasons.md, which a test compares. */
const remedies: Readonly<Record<string, string>> = {
  BAD_ENVELOPE:
    "send a JSON object in UTF-8; what is published straight into NATS must have the doors' form.",
  BAD_TOPIC_FORMAT: 'mend the topic of the publisher. The doors refuse such identifiers themselves.',
  TENANT_MISMATCH:
    "mend the publisher: all three must agree. The message is listed under the subject's tenant.",
  UNSUPPORTED_MSG_TYPE: 'publish under one of the two types.',
  UNSUPPORTED_ENVELOPE_VERSION: 'leave it out, or upgrade the workers before what publishes a newer version.',
  PAYLOAD_TOO_LARGE: 'send less at once, or raise the limit.',
  MISSING_SITE_ID: 'send the site that the device is registered under.',
  TIMESTAMP_INVALID:
    'send ISO 8601 (without a zone: UTC), or seconds, ms, µs or ns since 1970. Without `ts`, or with `null`, the time is that of arrival.',
  TIMESTAMP_OUT_OF_RANGE: "set the device's clock, or send no `ts`.",
  METRICS_INVALID: 'send `"metrics":{"temp":22}`.',
  TOO_MANY_METRICS: 'split the message, or raise `TRIBUTARY_MAX_METRICS`.',
  METRIC_KEY_INVALID: 'rename the metric in the device.',
  METRIC_VALUE_INVALID: 'send one value per metric; flatten objects into several metrics.',
  UNREGISTERED_DEVICE: '`tributary device add`.',
  TOKEN_NOT_SET: '`tributary device rotate`.',
  TOKEN_MISSING:
    'over MQTT, give the token at CONNECT or in the payload; in an envelope of your own, in the payload.',
  TOKEN_INVALID:
    'give the device its token, or `tributary device rotate --grace 24h` and give it the new one.',
  DEVICE_REVOKED: 'nothing, when that was meant; else register the device again.',
  SITE_MISMATCH: "mend the device's configuration or the registry, whichever is wrong.",
  IDENTITY_REUSED: 'give each message a key of its own, and keep it for its retries only.',
  RATE_LIMITED:
    'send more slowly, put several metrics into one message, or raise the limit of the device, its tenant or all.',
  STORE_REJECTED:
    "this should not happen, since the checks above know PostgreSQL's limits. Please report the code and the detail.",
};

/** A sentence; undefined for a reason of another version. */
export function remedyOf(reason: string): string | undefined {
  const text = Object.hasOwn(remedies, reason) ? remedies[reason] : undefined;
  // Code is marked in the page only.
  return text === undefined
    ? undefined
    : text.replaceAll('`', '').replace(/^./, (first) => first.toUpperCase());
}
