import Type from 'typebox';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { hashToken } from '../../model/token.ts';
import { deleteDeviceData, unregisterDevice } from '../../store/registry/delete-device.ts';
import { moveDevice } from '../../store/registry/move-device.ts';
import { reinstateDevice } from '../../store/registry/reinstate-device.ts';
import { revokeDevice } from '../../store/registry/revoke-device.ts';
import { rotateToken } from '../../store/registry/rotate-token.ts';
import { setDeviceLimits } from '../../store/registry/set-device-limits.ts';
import { showDevice } from '../../store/registry/show-device.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { defineOperation } from '../operation.ts';
import { ok } from '../reply.ts';
import {
  closed,
  count,
  deviceIdSchema,
  deviceLimitsInput,
  nullable,
  ofDevice,
  siteIdSchema,
  timeSchema,
} from '../schemas.ts';
import { deviceDetailsSchema, deviceTokenSchema, showDeviceDetails } from './device-schema.ts';
import { newToken, usableToken } from './devices.ts';

const tag = 'Devices';
const path = '/tenants/{tenant_id}/devices/{device_id}';
const longestGraceMs = 30 * 86_400_000;

async function shown(db: Queryable, tenantId: TenantId, deviceId: DeviceId) {
  return showDeviceDetails(await showDevice(db, tenantId, deviceId));
}

const patch = defineOperation({
  method: 'PATCH',
  path,
  id: 'changeDevice',
  tag,
  summary: 'Move a device to another site, change its limits',
  access: 'write',
  params: ofDevice,
  body: closed({ site_id: Type.Optional(siteIdSchema), ...deviceLimitsInput }),
  answers: { 200: { description: 'As it is now', schema: deviceDetailsSchema } },
  handle: async ({ params: { tenant_id: tenantId, device_id: deviceId }, body }, { change }) => {
    const { site_id: siteId, rate_per_second: ratePerSecond, burst, max_sensors: maxSensors } = body;
    const note = { action: 'device.change', target: deviceId, detail: body };
    const device = await change(note, async (client) => {
      if (siteId !== undefined) await moveDevice(client, tenantId, deviceId, siteId);
      // Absent stays as it is.
      await setDeviceLimits(client, tenantId, deviceId, {
        ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
        ...(burst === undefined ? {} : { burst }),
        ...(maxSensors === undefined ? {} : { maxSensors }),
      });
      return shown(client, tenantId, deviceId);
    });
    return ok(device);
  },
});

const rotate = defineOperation({
  method: 'POST',
  path: `${path}/rotate`,
  id: 'rotateDeviceToken',
  tag,
  summary: 'Give a device a new token',
  description:
    'The answer holds it, this once. The old token ends at once, or stays valid for `grace_ms`, so that the device can be changed over.',
  access: 'write',
  params: ofDevice,
  body: closed({
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 512, writeOnly: true })),
    grace_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: longestGraceMs })),
  }),
  answers: {
    200: {
      description: 'The new token',
      schema: closed({
        device_id: deviceIdSchema,
        token: deviceTokenSchema,
        previous_token_until: nullable(timeSchema),
      }),
    },
  },
  handle: async ({ params: { tenant_id: tenantId, device_id: deviceId }, body }, { services, change }) => {
    const token = body.token === undefined ? newToken(services) : usableToken(body.token);
    const graceMs = body.grace_ms ?? 0;
    const note = { action: 'device.rotate', target: deviceId, detail: { grace_ms: graceMs } };
    const { previousTokenUntil } = await change(note, (client) =>
      rotateToken(client, tenantId, deviceId, { tokenSha256: hashToken(token), graceMs }),
    );
    return ok({ device_id: deviceId, token, previous_token_until: previousTokenUntil });
  },
});

const revoke = defineOperation({
  method: 'POST',
  path: `${path}/revoke`,
  id: 'revokeDevice',
  tag,
  summary: 'Accept nothing more from a device',
  description: 'Its messages are quarantined as DEVICE_REVOKED. Its data stays.',
  access: 'write',
  params: ofDevice,
  answers: { 200: { description: 'As it is now', schema: deviceDetailsSchema } },
  handle: async ({ params: { tenant_id: tenantId, device_id: deviceId } }, { change }) =>
    ok(
      await change({ action: 'device.revoke', target: deviceId }, async (client) => {
        await revokeDevice(client, tenantId, deviceId);
        return shown(client, tenantId, deviceId);
      }),
    ),
});

const reinstate = defineOperation({
  method: 'POST',
  path: `${path}/reinstate`,
  id: 'reinstateDevice',
  tag,
  summary: 'Take a revocation back',
  access: 'write',
  params: ofDevice,
  answers: { 200: { description: 'As it is now', schema: deviceDetailsSchema } },
  handle: async ({ params: { tenant_id: tenantId, device_id: deviceId } }, { change }) =>
    ok(
      await change({ action: 'device.reinstate', target: deviceId }, async (client) => {
        await reinstateDevice(client, tenantId, deviceId);
        return shown(client, tenantId, deviceId);
      }),
    ),
});

const remove = defineOperation({
  method: 'DELETE',
  path,
  id: 'deleteDevice',
  tag,
  summary: 'Take a device out of the registry',
  description:
    'Its readings stay, unless `with_data` takes them, too: telemetry, sensors, status, quarantine; that cannot be undone. When it is cut off, the same call goes on.',
  access: 'write',
  params: ofDevice,
  query: { with_data: Type.Boolean({ default: false }) },
  answers: {
    200: { description: 'Deleted', schema: closed({ registered: Type.Boolean(), telemetry_rows: count }) },
  },
  handle: async ({ params: { tenant_id: tenantId, device_id: deviceId }, query }, { services, change }) => {
    const withData = query.with_data;
    const note = {
      action: 'device.delete',
      target: deviceId,
      detail: (registered: boolean) => ({ with_data: withData, registered }),
    };
    const registered = await change(note, (client) =>
      unregisterDevice(client, tenantId, deviceId, { withData }),
    );
    const readings = withData ? await deleteDeviceData(services.pool, tenantId, deviceId) : 0;
    return ok({ registered, telemetry_rows: readings });
  },
});

export const deviceChangeOperations = [patch, rotate, revoke, reinstate, remove];
