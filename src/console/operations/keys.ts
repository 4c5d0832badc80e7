import Type from 'typebox';
import { levels } from '../../model/actor.ts';
import {
  createSecret,
  hashToken,
  operatorKeyPrefix,
  secretBytes,
  tenantKeyPrefix,
} from '../../model/token.ts';
import {
  addTenantKey,
  listTenantKeys,
  revokeTenantKey,
  type TenantKey,
} from '../../store/console/tenant-keys.ts';
import { addOperatorKey } from '../../store/registry/add-operator-key.ts';
import { listOperatorKeys } from '../../store/registry/list-operator-keys.ts';
import type { OperatorKey } from '../../store/registry/operator-keys.ts';
import { revokeOperatorKeyById } from '../../store/registry/revoke-operator-key.ts';
import { decodeCursor, numberInCursor, pageOf } from '../cursor.ts';
import { defineOperation } from '../operation.ts';
import { invalidInput } from '../problem.ts';
import { created, ok } from '../reply.ts';
import { closed, idInPath, listOf, listQuery, nullable, ofTenant, oneOf, timeSchema } from '../schemas.ts';

const tag = 'Keys';
const nameSchema = Type.String({
  pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{N} ._@-]{0,63}$',
  description: 'who or what uses it: 1 to 64 letters, digits, spaces, dots, _, @ and -',
});
const keySchema = Type.String({ description: 'Shown this once; only its SHA-256 is kept' });

const tenantKey = {
  key_id: Type.Integer(),
  name: Type.String(),
  level: oneOf(levels),
  created_at: timeSchema,
  expires_at: nullable(timeSchema),
  revoked_at: nullable(timeSchema),
};
const operatorKey = {
  key_id: Type.Integer(),
  name: Type.String(),
  created_at: timeSchema,
  revoked_at: nullable(timeSchema),
};

const list = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/keys',
  id: 'listKeys',
  tag,
  summary: 'A tenant’s keys, in the order they were made',
  access: 'admin',
  params: ofTenant,
  query: listQuery,
  answers: { 200: { description: 'A page of keys', schema: listOf(closed(tenantKey)) } },
  handle: async ({ params, query }, { read }) => {
    const [afterId] = decodeCursor(query.cursor, [numberInCursor]) ?? [];
    const rows = await read((client) =>
      listTenantKeys(client, params.tenant_id, { afterId, limit: query.limit + 1 }),
    );
    return ok(
      pageOf(
        rows,
        query.limit,
        ({ key_id }) => [String(key_id)],
        (row: TenantKey) => row,
      ),
    );
  },
});

const add = defineOperation({
  method: 'POST',
  path: '/tenants/{tenant_id}/keys',
  id: 'createKey',
  tag,
  summary: 'Make a key for a tenant’s people and programs',
  description: '`read` looks, `write` also changes devices, quarantine and routes, `admin` also makes keys.',
  access: 'admin',
  params: ofTenant,
  body: closed({ name: nameSchema, level: oneOf(levels), expires_at: Type.Optional(nullable(timeSchema)) }),
  answers: { 201: { description: 'The key', schema: closed({ ...tenantKey, key: keySchema }) } },
  handle: async ({ params, body }, { services, change }) => {
    const expiresAt = body.expires_at ?? undefined;
    if (expiresAt !== undefined && Date.parse(expiresAt) <= services.wallClock()) {
      throw invalidInput(`expires_at: ${expiresAt} is over already`);
    }
    const key = createSecret(tenantKeyPrefix, services.randomBytes(secretBytes));
    const note = {
      action: 'key.create',
      target: body.name,
      detail: { level: body.level, expires_at: expiresAt },
    };
    const made = await change(note, (client) =>
      addTenantKey(client, params.tenant_id, { ...body, expiresAt, keySha256: hashToken(key) }),
    );
    return created({ ...made, key });
  },
});

const revoke = defineOperation({
  method: 'DELETE',
  path: '/tenants/{tenant_id}/keys/{key_id}',
  id: 'revokeKey',
  tag,
  summary: 'Take a tenant’s key out of use, at once, with the sessions that it opened',
  access: 'admin',
  params: { ...ofTenant, key_id: idInPath },
  answers: { 200: { description: 'The key', schema: closed(tenantKey) } },
  handle: async ({ params }, { change }) => {
    const note = {
      action: 'key.revoke',
      target: params.key_id,
      detail: ({ name, level }: TenantKey) => ({ name, level }),
    };
    return ok(
      await change(note, (client) => revokeTenantKey(client, params.tenant_id, { keyId: params.key_id })),
    );
  },
});

const showOperatorKey = ({ keyId, name, createdAt, revokedAt }: OperatorKey) => ({
  key_id: keyId,
  name,
  created_at: createdAt,
  revoked_at: revokedAt,
});

const listOfOperators = defineOperation({
  method: 'GET',
  path: '/operator-keys',
  id: 'listOperatorKeys',
  tag,
  summary: 'Operators’ keys, in the order they were made',
  access: 'operator',
  query: listQuery,
  answers: { 200: { description: 'A page of keys', schema: listOf(closed(operatorKey)) } },
  handle: async ({ query }, { read }) => {
    const [afterId = '0'] = decodeCursor(query.cursor, [numberInCursor]) ?? [];
    const rows = (await read((client) => listOperatorKeys(client))).filter(
      ({ keyId }) => keyId > Number(afterId),
    );
    return ok(pageOf(rows, query.limit, ({ keyId }) => [String(keyId)], showOperatorKey));
  },
});

const addOfOperators = defineOperation({
  method: 'POST',
  path: '/operator-keys',
  id: 'createOperatorKey',
  tag,
  summary: 'Make an operator’s key',
  access: 'operator',
  body: closed({ name: nameSchema }),
  answers: { 201: { description: 'The key', schema: closed({ ...operatorKey, key: keySchema }) } },
  handle: async ({ body }, { services, change }) => {
    const key = createSecret(operatorKeyPrefix, services.randomBytes(secretBytes));
    const note = { action: 'operator_key.create', target: body.name };
    const made = await change(note, (client) => addOperatorKey(client, body.name, hashToken(key)));
    return created({ ...showOperatorKey(made), key });
  },
});

const revokeOfOperators = defineOperation({
  method: 'DELETE',
  path: '/operator-keys/{key_id}',
  id: 'revokeOperatorKey',
  tag,
  summary: 'Take an operator’s key out of use, at once, with the sessions that it opened',
  access: 'operator',
  params: { key_id: idInPath },
  answers: { 200: { description: 'The key', schema: closed(operatorKey) } },
  handle: async ({ params }, { change }) => {
    const note = {
      action: 'operator_key.revoke',
      target: params.key_id,
      detail: ({ name }: OperatorKey) => ({ name }),
    };
    return ok(showOperatorKey(await change(note, (client) => revokeOperatorKeyById(client, params.key_id))));
  },
});

export const keyOperations = [list, add, revoke, listOfOperators, addOfOperators, revokeOfOperators];
