import Type from 'typebox';
import type { TenantId } from '../../model/identifiers.ts';
import { addTenant } from '../../store/registry/add-tenant.ts';
import { deleteTenant, deleteTenantData } from '../../store/registry/delete-tenant.ts';
import { tenantNotFound } from '../../store/registry/registry-error.ts';
import { selectTenants } from '../../store/registry/select-tenants.ts';
import { setTenantLimits } from '../../store/registry/set-tenant-limits.ts';
import type { Tenant } from '../../store/registry/types.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { decodeCursor, pageOf, textInCursor } from '../cursor.ts';
import { defineOperation } from '../operation.ts';
import { created, ok } from '../reply.ts';
import {
  closed,
  count,
  listOf,
  listQuery,
  nullable,
  ofTenant,
  tenantIdSchema,
  tenantLimitsInput,
  timeSchema,
} from '../schemas.ts';

const tag = 'Tenants';
const name = Type.String({ maxLength: 256, description: 'for people to read' });
const limit = nullable(Type.Number({ description: 'null: the installation’s default' }));

const tenantSchema = closed({
  tenant_id: tenantIdSchema,
  name: Type.String(),
  devices: count,
  rate_per_second: limit,
  burst: limit,
  device_rate_per_second: limit,
  device_burst: limit,
  created_at: timeSchema,
});

function show(tenant: Tenant) {
  return {
    tenant_id: tenant.tenantId,
    name: tenant.name,
    devices: tenant.devices,
    rate_per_second: tenant.ratePerSecond,
    burst: tenant.burst,
    device_rate_per_second: tenant.deviceRatePerSecond,
    device_burst: tenant.deviceBurst,
    created_at: tenant.createdAt,
  };
}

async function find(db: Queryable, tenantId: TenantId) {
  const [tenant] = await selectTenants(db, { tenantId, limit: 1 });
  if (tenant === undefined) throw tenantNotFound(tenantId);
  return show(tenant);
}

const list = defineOperation({
  method: 'GET',
  path: '/tenants',
  id: 'listTenants',
  tag,
  summary: 'All tenants, by id',
  access: 'operator',
  query: {
    search: Type.Optional(Type.String({ maxLength: 128, description: 'part of the id or name' })),
    ...listQuery,
  },
  answers: { 200: { description: 'A page of tenants', schema: listOf(tenantSchema) } },
  handle: async ({ query }, { read }) => {
    const [afterTenantId] = decodeCursor(query.cursor, [textInCursor]) ?? [];
    const rows = await read((client) =>
      selectTenants(client, { afterTenantId, search: query.search, limit: query.limit + 1 }),
    );
    return ok(pageOf(rows, query.limit, ({ tenantId }) => [tenantId], show));
  },
});

const create = defineOperation({
  method: 'POST',
  path: '/tenants',
  id: 'createTenant',
  tag,
  summary: 'Add a tenant',
  access: 'operator',
  body: closed({ tenant_id: tenantIdSchema, name: Type.Optional(name), ...tenantLimitsInput }),
  answers: { 201: { description: 'Added', schema: tenantSchema } },
  handle: async ({ body }, { change }) => {
    const note = { action: 'tenant.create', target: body.tenant_id, detail: body };
    return created(
      await change(note, async (client) => {
        await addTenant(client, body.tenant_id, { name: body.name, ...limitsOf(body, undefined) });
        return find(client, body.tenant_id);
      }),
    );
  },
});

const get = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}',
  id: 'getTenant',
  tag,
  summary: 'One tenant and its limits',
  access: 'read',
  params: ofTenant,
  answers: { 200: { description: 'The tenant', schema: tenantSchema } },
  handle: async ({ params }, { read }) => ok(await read((client) => find(client, params.tenant_id))),
});

const patch = defineOperation({
  method: 'PATCH',
  path: '/tenants/{tenant_id}',
  id: 'changeTenant',
  tag,
  summary: 'Change a tenant’s limits',
  access: 'operator',
  params: ofTenant,
  body: closed(tenantLimitsInput),
  answers: { 200: { description: 'As it is now', schema: tenantSchema } },
  handle: async ({ params, body }, { change }) => {
    const note = { action: 'tenant.change', target: params.tenant_id, detail: body };
    return ok(
      await change(note, async (client) => {
        await setTenantLimits(client, params.tenant_id, limitsOf(body, null));
        return find(client, params.tenant_id);
      }),
    );
  },
});

interface LimitsInput {
  readonly rate_per_second?: number | null;
  readonly burst?: number | null;
  readonly device_rate_per_second?: number | null;
  readonly device_burst?: number | null;
}

/** @param unset what stands for null: of a new tenant nothing, of a change null */
function limitsOf<U extends null | undefined>(body: LimitsInput, unset: U) {
  const limit = (value: number | null | undefined) => (value === null ? unset : value);
  return {
    ratePerSecond: limit(body.rate_per_second),
    burst: limit(body.burst),
    deviceRatePerSecond: limit(body.device_rate_per_second),
    deviceBurst: limit(body.device_burst),
  };
}

const remove = defineOperation({
  method: 'DELETE',
  path: '/tenants/{tenant_id}',
  id: 'deleteTenant',
  tag,
  summary: 'Delete a tenant with its keys and routes',
  description:
    'One that has devices only `with_data`: then the devices go, and all that they sent; that cannot be undone. When it is cut off, the same call goes on.',
  access: 'operator',
  params: ofTenant,
  query: { with_data: Type.Boolean({ default: false }) },
  answers: { 200: { description: 'Deleted', schema: closed({ telemetry_rows: count }) } },
  handle: async ({ params: { tenant_id: tenantId }, query }, { services, change }) => {
    const detail = { with_data: query.with_data };
    if (!query.with_data) {
      await change({ action: 'tenant.delete', target: tenantId, detail }, (client) =>
        deleteTenant(client, tenantId),
      );
      return ok({ telemetry_rows: 0 });
    }
    // First of all, in case that it is cut off.
    await change({ action: 'tenant.delete_data', target: tenantId, detail }, () => Promise.resolve());
    const readings = await deleteTenantData(services.pool, tenantId);
    const note = {
      action: 'tenant.delete',
      target: tenantId,
      detail: { ...detail, telemetry_rows: readings },
    };
    await change(note, (client) => deleteTenant(client, tenantId));
    return ok({ telemetry_rows: readings });
  },
});

export const tenantOperations = [list, create, get, patch, remove];
