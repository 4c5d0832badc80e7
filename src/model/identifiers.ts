/**
 * Identifiers as the contract allows them. They travel in NATS subjects, MQTT topics and SQL, so every
 * boundary parses them before use; inside, the branded types say it has been done.
 */

export type TenantId = string & { readonly __brand: 'TenantId' };
export type DeviceId = string & { readonly __brand: 'DeviceId' };
export type MsgType = 'telemetry' | 'heartbeat';

export const msgTypes: readonly MsgType[] = ['telemetry', 'heartbeat'];

/** Reserved for the system: tenants whose id starts with `_` (the canary) never come in from outside. */
export const canaryTenantId = '_canary' as TenantId;

const tenantIdPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const deviceIdPattern = /^[A-Za-z0-9._:-]{1,128}$/;

/** What each identifier may look like, worded for an error's `detail`. */
export const identifierRules = {
  tenant_id: '1 to 64 of A-Z a-z 0-9 _ -, starting with a letter or digit',
  device_id: '1 to 128 of A-Z a-z 0-9 . _ : -',
} as const;

export function isTenantId(value: unknown): value is TenantId {
  return typeof value === 'string' && tenantIdPattern.test(value);
}

export function isDeviceId(value: unknown): value is DeviceId {
  return typeof value === 'string' && deviceIdPattern.test(value);
}

export function isMsgType(value: unknown): value is MsgType {
  return value === 'telemetry' || value === 'heartbeat';
}

/** The key of a device across tenants. Neither id can hold a `/`, so it is unambiguous. */
export function deviceKey(tenantId: string, deviceId: string): string {
  return `${tenantId}/${deviceId}`;
}

/** `tenant/{tenant_id}/device/{device_id}/{msg_type}`: the MQTT topic, and the envelope's `topic`. */
export function ingestTopic(tenantId: string, deviceId: string, msgType: string): string {
  return `tenant/${tenantId}/device/${deviceId}/${msgType}`;
}
