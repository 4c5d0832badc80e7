import Type from 'typebox';
import { createSecret, deviceTokenPrefix, hashToken, secretBytes, tokenFault } from '../../model/token.ts';
import { addDevice } from '../../store/registry/add-device.ts';
import { listDevices } from '../../store/registry/list-devices.ts';
import { showDevice } from '../../store/registry/show-device.ts';
import type { ConsoleServices } from '../context.ts';
import { decodeCursor, pageOf, textInCursor } from '../cursor.ts';
import { defineOperation } from '../operation.ts';
import { invalidInput } from '../problem.ts';
import { created, ok } from '../reply.ts';
import {
  closed,
  deviceIdSchema,
  deviceLimitsInput,
  listOf,
  listQuery,
  ofDevice,
  ofTenant,
  oneOf,
  siteIdSchema,
} from '../schemas.ts';
import {
  deviceDetailsSchema,
  deviceSchema,
  deviceTokenSchema,
  showDeviceDetails,
  showDeviceRow,
  statuses,
} from './device-schema.ts';

const tag = 'Devices';

const list = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices',
  id: 'listDevices',
  tag,
  summary: 'A tenant’s devices, by id',
  access: 'read',
  params: ofTenant,
  query: {
    search: Type.Optional(Type.String({ maxLength: 128, description: 'part of the device’s or site’s id' })),
    site_id: Type.Optional(siteIdSchema),
    status: Type.Optional(oneOf(statuses)),
    revoked: Type.Optional(Type.Boolean()),
    ...listQuery,
  },
  answers: { 200: { description: 'A page of devices', schema: listOf(deviceSchema) } },
  handle: async ({ params, query }, { read }) => {
    const [afterDeviceId] = decodeCursor(query.cursor, [textInCursor]) ?? [];
    const rows = await read((client) =>
      listDevices(client, params.tenant_id, {
        afterDeviceId,
        search: query.search,
        siteId: query.site_id,
        status: query.status,
        revoked: query.revoked,
        limit: query.limit + 1,
      }),
    );
    return ok(pageOf(rows, query.limit, ({ deviceId }) => [deviceId], showDeviceRow));
  },
});

const create = defineOperation({
  method: 'POST',
  path: '/tenants/{tenant_id}/devices',
  id: 'createDevice',
  tag,
  summary: 'Register a device',
  description: 'The answer holds its token, this once. `token` brings one that the device has already.',
  access: 'write',
  params: ofTenant,
  body: closed({
    device_id: deviceIdSchema,
    site_id: siteIdSchema,
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 512, writeOnly: true })),
    ...deviceLimitsInput,
  }),
  answers: {
    201: {
      description: 'Registered',
      schema: closed({ ...deviceDetailsSchema.properties, token: deviceTokenSchema }),
    },
  },
  handle: async ({ params: { tenant_id: tenantId }, body }, { services, change }) => {
    const { token: brought, ...detail } = body;
    const token = brought === undefined ? newToken(services) : usableToken(brought);
    const note = { action: 'device.create', target: body.device_id, detail };
    const device = await change(note, async (client) => {
      await addDevice(client, tenantId, {
        deviceId: body.device_id,
        siteId: body.site_id,
        tokenSha256: hashToken(token),
        ratePerSecond: body.rate_per_second ?? undefined,
        burst: body.burst ?? undefined,
        maxSensors: body.max_sensors ?? undefined,
      });
      return showDevice(client, tenantId, body.device_id);
    });
    return created({ ...showDeviceDetails(device), token });
  },
});

const get = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices/{device_id}',
  id: 'getDevice',
  tag,
  summary: 'One device',
  access: 'read',
  params: ofDevice,
  answers: { 200: { description: 'The device', schema: deviceDetailsSchema } },
  handle: async ({ params }, { read }) =>
    ok(showDeviceDetails(await read((client) => showDevice(client, params.tenant_id, params.device_id)))),
});

export function newToken({ randomBytes }: ConsoleServices): string {
  return createSecret(deviceTokenPrefix, randomBytes(secretBytes));
}

export function usableToken(token: string): string {
  const fault = tokenFault(token);
  if (fault !== undefined) throw invalidInput(`token: ${fault}`);
  return token;
}

export const deviceOperations = [list, create, get];
