import type { IncomingMessage, IntakeResult } from '../../intake/intake.ts';
import type { BatchReason } from '../../model/errors.ts';
import { isDeviceId, isMsgType, isTenantId } from '../../model/identifiers.ts';
import type { BatchItem } from './batch-body.ts';
import { isObject } from './is-object.ts';

/** An item as intake takes it, or why it is refused; the first failing check names the reason. */
export function readItem(item: BatchItem, maxItemBytes: number): IncomingMessage | BatchReason {
  const { value: payload, text: payloadText, unfit } = item;
  if (unfit || !isObject(payload) || byteLengthExceeds(payloadText, maxItemBytes)) return 'invalid message';
  const { tenant_id: tenantId, device_id: deviceId, provision_token: token } = payload;
  if (!tenantId || !deviceId) return 'missing tenant_id or device_id';
  // Only a string can be a token.
  if (typeof token !== 'string' || token === '') return 'missing provision_token';
  const msgType = Object.hasOwn(payload, 'msg_type') ? payload.msg_type : 'telemetry';
  if (!isMsgType(msgType)) return 'invalid msg_type';
  if (!isTenantId(tenantId)) return 'invalid tenant_id';
  if (!isDeviceId(deviceId)) return 'invalid device_id';
  // `msg_id` is read from the payload, where the identity is determined.
  const idempotencyKey = undefined;
  return {
    source: 'batch',
    username: '',
    tenantId,
    deviceId,
    msgType,
    token,
    idempotencyKey,
    payloadText,
    payload,
  };
}

/** What the device is told of an item that intake refused. */
export function reasonFor({ refusal }: IntakeResult & { ok: false }): BatchReason {
  switch (refusal) {
    case 'token_refused':
      return 'unknown device or wrong token';
    case 'device_revoked':
      return 'device revoked';
    case 'too_large':
      return 'invalid message';
    default:
      // The stream's trouble, or a full bucket: the same item is worth another try.
      return 'publish_failed';
  }
}

function byteLengthExceeds(text: string, maxBytes: number): boolean {
  // A UTF-16 unit is at most three bytes of UTF-8: most items need no counting.
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}
