import Type from 'typebox';
import { JsonText } from '../../lib/to-json.ts';
import { type AuditRow, listAuditLog } from '../../store/console/audit-log.ts';
import { decodeCursor, numberInCursor, pageOf } from '../cursor.ts';
import { defineOperation } from '../operation.ts';
import { ok } from '../reply.ts';
import {
  anyJson,
  closed,
  listOf,
  listQuery,
  nullable,
  ofTenant,
  oneOf,
  rangeQuery,
  timeSchema,
} from '../schemas.ts';

const tag = 'Audit log';

const entry = closed({
  entry_id: Type.Integer(),
  time: timeSchema,
  actor_kind: oneOf(['operator', 'tenant', 'cli'], 'whose key it was; cli: none, but the command line'),
  actor_key_id: nullable(Type.Integer({ description: 'null of the command line' })),
  actor_name: Type.String({ description: 'of the key, as it was; of the command line user@host' }),
  tenant_id: nullable(Type.String()),
  action: Type.String({ description: 'what was done to what: device.create' }),
  target: Type.String(),
  detail: anyJson,
});

const query = {
  action: Type.Optional(Type.String({ maxLength: 64 })),
  ...rangeQuery,
  ...listQuery,
};
const answers = { 200: { description: 'A page of entries, newest first', schema: listOf(entry) } };

const show = (row: AuditRow) => ({ ...row, detail: new JsonText(row.detail) });
const keyOf = ({ entry_id }: AuditRow) => [String(entry_id)];

const ofOne = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/audit-log',
  id: 'listTenantAuditLog',
  tag,
  summary: 'What was changed at a tenant, through the API and the command line, newest first',
  access: 'read',
  params: ofTenant,
  query,
  answers,
  handle: async ({ params, query: { cursor, limit, ...filter } }, { read }) => {
    const [beforeId] = decodeCursor(cursor, [numberInCursor]) ?? [];
    const rows = await read((client) =>
      listAuditLog(client, { ...filter, tenantId: params.tenant_id, beforeId, limit: limit + 1 }),
    );
    return ok(pageOf(rows, limit, keyOf, show));
  },
});

const ofAll = defineOperation({
  method: 'GET',
  path: '/audit-log',
  id: 'listAuditLog',
  tag,
  summary: 'What was changed, through the API and the command line, newest first',
  access: 'operator',
  query,
  answers,
  handle: async ({ query: { cursor, limit, ...filter } }, { read }) => {
    const [beforeId] = decodeCursor(cursor, [numberInCursor]) ?? [];
    const rows = await read((client) =>
      listAuditLog(client, { ...filter, tenantId: undefined, beforeId, limit: limit + 1 }),
    );
    return ok(pageOf(rows, limit, keyOf, show));
  },
});

export const auditLogOperations = [ofOne, ofAll];
