import Type from 'typebox';
import type { DeviceDetails } from '../../store/registry/show-device.ts';
import type { Device } from '../../store/registry/types.ts';
import { closed, count, deviceIdSchema, nullable, oneOf, tenantIdSchema, timeSchema } from '../schemas.ts';

export const statuses = ['ONLINE', 'STALE', 'OFFLINE'] as const;

const limit = nullable(Type.Number({ description: 'null: the tenant’s default' }));

const deviceMembers = {
  tenant_id: tenantIdSchema,
  device_id: deviceIdSchema,
  site_id: Type.String(),
  has_token: Type.Boolean(),
  previous_token_until: nullable(timeSchema),
  revoked_at: nullable(timeSchema),
  rate_per_second: limit,
  burst: limit,
  max_sensors: limit,
  created_at: timeSchema,
  status: nullable(oneOf(statuses, 'null until its first message')),
  status_since: nullable(timeSchema),
  last_seen_at: nullable(timeSchema),
};

export const deviceSchema = closed(deviceMembers);
export const deviceDetailsSchema = closed({
  ...deviceMembers,
  sensors: count,
  last_msg_type: nullable(Type.String()),
});
export const deviceTokenSchema = Type.String({ description: 'Shown this once; only its SHA-256 is kept' });

/** Members that are undefined become null. */
export function showDeviceRow(device: Device) {
  return {
    tenant_id: device.tenantId,
    device_id: device.deviceId,
    site_id: device.siteId,
    has_token: device.hasToken,
    previous_token_until: device.previousTokenUntil,
    revoked_at: device.revokedAt,
    rate_per_second: device.ratePerSecond,
    burst: device.burst,
    max_sensors: device.maxSensors,
    created_at: device.createdAt,
    status: device.status,
    status_since: device.statusSince,
    last_seen_at: device.lastSeenAt,
  };
}

export function showDeviceDetails(device: DeviceDetails) {
  return { ...showDeviceRow(device), sensors: device.sensors, last_msg_type: device.lastMsgType };
}
