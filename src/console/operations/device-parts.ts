import Type from 'typebox';
import { JsonText } from '../../lib/to-json.ts';
import { listSensors } from '../../store/listings/list-sensors.ts';
import { listStatusHistory } from '../../store/listings/list-status-history.ts';
import { listSites } from '../../store/registry/list-sites.ts';
import { requireDevice } from '../../store/registry/require-device.ts';
import { decodeCursor, pageOf, textInCursor } from '../cursor.ts';
import { defineOperation } from '../operation.ts';
import { ok } from '../reply.ts';
import {
  anyJson,
  closed,
  count,
  listOf,
  listQuery,
  nullable,
  ofDevice,
  ofTenant,
  oneOf,
  timeSchema,
} from '../schemas.ts';
import { statuses } from './device-schema.ts';

const timeInCursor = /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

const sites = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/sites',
  id: 'listSites',
  tag: 'Devices',
  summary: 'A tenant’s sites, by id',
  description: 'A site is what its devices name.',
  access: 'read',
  params: ofTenant,
  query: listQuery,
  answers: {
    200: {
      description: 'A page of sites',
      schema: listOf(
        closed({
          site_id: Type.String(),
          devices: count,
          online: count,
          stale: count,
          offline: count,
          silent: Type.Integer({ minimum: 0, description: 'never heard of' }),
          revoked: count,
        }),
      ),
    },
  },
  handle: async ({ params, query }, { read }) => {
    const [afterSiteId] = decodeCursor(query.cursor, [textInCursor]) ?? [];
    const rows = await read((client) =>
      listSites(client, params.tenant_id, { afterSiteId, limit: query.limit + 1 }),
    );
    return ok(
      pageOf(
        rows,
        query.limit,
        ({ site_id }) => [site_id],
        (row) => row,
      ),
    );
  },
});

const sensors = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices/{device_id}/sensors',
  id: 'listSensors',
  tag: 'Devices',
  summary: 'A device’s sensors with their latest values, by metric',
  access: 'read',
  params: ofDevice,
  query: listQuery,
  answers: {
    200: {
      description: 'A page of sensors',
      schema: listOf(
        closed({
          metric: Type.String(),
          value_type: oneOf(['number', 'boolean', 'string']),
          unit: nullable(Type.String()),
          latest: anyJson,
          latest_time: timeSchema,
          discovered_at: timeSchema,
        }),
      ),
    },
  },
  handle: async ({ params: { tenant_id: tenantId, device_id: deviceId }, query }, { read }) => {
    const [afterMetric] = decodeCursor(query.cursor, [textInCursor]) ?? [];
    const rows = await read(async (client) => {
      await requireDevice(client, tenantId, deviceId);
      return listSensors(client, { tenantId, deviceId, afterMetric, limit: query.limit + 1 });
    });
    const page = pageOf(
      rows,
      query.limit,
      ({ metric }) => [metric],
      ({ metric, value_type, unit, latest, latest_time, discovered_at }) => ({
        metric,
        value_type,
        unit,
        latest: new JsonText(latest),
        latest_time,
        discovered_at,
      }),
    );
    return ok(page);
  },
});

const statusHistory = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices/{device_id}/status-history',
  id: 'listStatusHistory',
  tag: 'Devices',
  summary: 'When a device was ONLINE, STALE and OFFLINE, the latest first',
  access: 'read',
  params: ofDevice,
  query: listQuery,
  answers: {
    200: {
      description: 'A page of spans',
      schema: listOf(
        closed({
          status: oneOf(statuses),
          since: timeSchema,
          until: nullable(Type.String({ format: 'date-time', description: 'null: it still is' })),
        }),
      ),
    },
  },
  handle: async ({ params: { tenant_id: tenantId, device_id: deviceId }, query }, { read }) => {
    const [before] = decodeCursor(query.cursor, [timeInCursor]) ?? [];
    const rows = await read(async (client) => {
      await requireDevice(client, tenantId, deviceId);
      return listStatusHistory(client, tenantId, deviceId, { before, limit: query.limit + 1 });
    });
    return ok(
      pageOf(
        rows,
        query.limit,
        ({ since }) => [since],
        (row) => row,
      ),
    );
  },
});

export const devicePartOperations = [sites, sensors, statusHistory];
