import type { DeviceId, MsgType, TenantId } from '../model/identifiers.ts';
import { isRawNumber, type Member, withoutMembers } from '../model/json-text.ts';
import type { Reading } from '../model/verdict.ts';
import type { Draft, Fields } from './judge/draft.ts';
import { metricsOf } from './judge/metrics-of.ts';

/** The reading of a message whose form has passed every check: they are what the casts rely on. */
export function buildReading(draft: Draft): Reading {
  const { envelope, payload, time, arrivedAtMs } = draft;
  return {
    tenantId: envelope.tenant_id as TenantId,
    deviceId: envelope.device_id as DeviceId,
    siteId: payload.site_id as string,
    msgType: envelope.msg_type as MsgType,
    timeUs: time.ok ? time.timeUs : arrivedAtMs * 1000,
    arrivedAtMs,
    seq: isSeq(payload.seq) ? payload.seq : undefined,
    metricsText: draft.metricsText ?? '{}',
    metrics: metricsOf(draft),
    extraText: extraTextOf(draft),
  };
}

/** What has no column of its own, as sent. */
function extraTextOf({ envelope, payload, payloadText, members }: Draft): string | undefined {
  const isStored = ({ key }: Member) => isStoredElsewhere(key, payload[key], envelope);
  if (members.every(isStored)) return undefined;
  return withoutMembers(
    payloadText,
    members.filter(isStored).map(({ key }) => key),
  );
}

function isStoredElsewhere(key: string, value: unknown, envelope: Fields): boolean {
  switch (key) {
    case 'site_id':
    case 'metrics':
    case 'version':
    case 'provision_token':
      return true;
    case 'ts':
      return !isFinerThanMicroseconds(value);
    case 'seq':
      return isSeq(value);
    // A batch item repeats its address.
    case 'tenant_id':
    case 'device_id':
    case 'msg_type':
      return value === envelope[key];
    default:
      return false;
  }
}

function isSeq(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Such a `ts` loses digits in the column `time`. */
function isFinerThanMicroseconds(ts: unknown): boolean {
  const text = typeof ts === 'object' && isRawNumber(ts) ? ts.rawJSON : String(ts);
  const epoch = /^[+-]?(\d+)(?:\.(\d+))?$/.exec(text);
  if (epoch === null) return /[.,]\d{6}\d*[1-9]|\d[eE]/.test(text);
  const [, whole = '', fraction = ''] = epoch;
  if (whole.length > 17) return !whole.endsWith('000') || /[1-9]/.test(fraction);
  const places = whole.length > 14 ? 0 : whole.length > 11 ? 3 : 6;
  return /[1-9]/.test(fraction.slice(places));
}
