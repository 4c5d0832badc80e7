import {
  type DeviceId,
  isDeviceId,
  isMsgType,
  isTenantId,
  type MsgType,
  type TenantId,
} from '../../model/identifiers.ts';
import { outSpace } from '../../model/republish.ts';

export interface DeviceName {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
}

export interface IngestTopic extends DeviceName {
  readonly msgType: MsgType;
}

/**
 * `tenant/{tenant_id}/device/{device_id}/{msg_type}`, or undefined for everything else. The identifiers are
 * ASCII, so NUL characters and the U+FFFD of bytes that were not UTF-8 never pass.
 */
export function parseIngestTopic(topic: string): IngestTopic | undefined {
  const levels = topic.split('/', 6);
  if (levels.length !== 5 || levels[0] !== 'tenant' || levels[2] !== 'device') return undefined;
  const [, tenantId, , deviceId, msgType] = levels;
  if (!isTenantId(tenantId) || !isDeviceId(deviceId) || !isMsgType(msgType)) return undefined;
  return { tenantId, deviceId, msgType };
}

/** Whether it may stand in a PUBLISH: not empty, no wildcards [MQTT-3.3.2-2], [MQTT-4.7.3-1]. */
export function isTopicName(topic: string): boolean {
  return /^[^#+]+$/s.test(topic);
}

/** The user name of a device's CONNECT: `tenant_id/device_id`. */
export function parseUsername(username: string): DeviceName | undefined {
  const parts = username.split('/', 3);
  const [tenantId, deviceId] = parts;
  if (parts.length !== 2 || !isTenantId(tenantId) || !isDeviceId(deviceId)) return undefined;
  return { tenantId, deviceId };
}

export function isSameDevice(a: DeviceName, b: DeviceName): boolean {
  return a.tenantId === b.tenantId && a.deviceId === b.deviceId;
}

/** Printable ASCII without wildcards inside a level: what a device's own topics may be made of. */
const levelPattern = /^[\x20-\x22\x24-\x2a\x2c-\x7e]*$/;
const maxFilterLength = 512;
const maxFilterLevels = 16;

/**
 * Whether a filter matches nothing but what this device may hear: its own `tenant/{t}/device/{d}` and what is below, and
 * `tenant/{t}/out` with what is below, where its tenant's routes publish.
 */
export function isOwnFilter({ tenantId, deviceId }: DeviceName, filter: string): boolean {
  return [`tenant/${tenantId}/device/${deviceId}`, outSpace(tenantId)].some((space) =>
    isWithin(space, filter),
  );
}

function isWithin(space: string, filter: string): boolean {
  if (filter === space) return true;
  if (filter.length > maxFilterLength || !filter.startsWith(`${space}/`)) return false;
  const levels = filter.slice(space.length + 1).split('/');
  if (levels.length > maxFilterLevels) return false;
  return levels.every(
    (level, index) =>
      level === '+' || (level === '#' && index === levels.length - 1) || levelPattern.test(level),
  );
}
