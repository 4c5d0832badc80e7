import type { Reason } from '../../model/reasons.ts';
import type { Rejection } from '../../model/verdict.ts';
import { badEnvelope } from './bad-envelope.ts';
import { badTopicFormat } from './bad-topic-format.ts';
import type { Draft, FormCheck, FormLimits } from './draft.ts';
import { metricKeyInvalid } from './metric-key-invalid.ts';
import { metricValueInvalid } from './metric-value-invalid.ts';
import { metricsInvalid } from './metrics-invalid.ts';
import { missingSiteId } from './missing-site-id.ts';
import { payloadTooLarge } from './payload-too-large.ts';
import { tenantMismatch } from './tenant-mismatch.ts';
import { timestampInvalid } from './timestamp-invalid.ts';
import { timestampOutOfRange } from './timestamp-out-of-range.ts';
import { tooManyMetrics } from './too-many-metrics.ts';
import { unsupportedEnvelopeVersion } from './unsupported-envelope-version.ts';
import { unsupportedMsgType } from './unsupported-msg-type.ts';

/** The checks that need nothing but the message, in the order of `reasons`. Each relies on those before it. */
export const formChecks: readonly (readonly [Reason, FormCheck])[] = [
  ['BAD_ENVELOPE', badEnvelope],
  ['BAD_TOPIC_FORMAT', badTopicFormat],
  ['TENANT_MISMATCH', tenantMismatch],
  ['UNSUPPORTED_MSG_TYPE', unsupportedMsgType],
  ['UNSUPPORTED_ENVELOPE_VERSION', unsupportedEnvelopeVersion],
  ['PAYLOAD_TOO_LARGE', payloadTooLarge],
  ['MISSING_SITE_ID', missingSiteId],
  ['TIMESTAMP_INVALID', timestampInvalid],
  ['TIMESTAMP_OUT_OF_RANGE', timestampOutOfRange],
  ['METRICS_INVALID', metricsInvalid],
  ['TOO_MANY_METRICS', tooManyMetrics],
  ['METRIC_KEY_INVALID', metricKeyInvalid],
  ['METRIC_VALUE_INVALID', metricValueInvalid],
];

/** The first failure, or undefined for a message whose form is right. */
export function judgeForm(draft: Draft, limits: FormLimits): Rejection | undefined {
  for (const [reason, check] of formChecks) {
    const detail = check(draft, limits);
    if (detail !== undefined) return { reason, detail };
  }
  return undefined;
}
