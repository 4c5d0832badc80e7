import Type from 'typebox';
import { memberSpan } from '../../../model/json-text.ts';
import { decodeUtf8 } from '../../../model/strict-json.ts';
import {
  findQuarantined,
  listQuarantine,
  type QuarantineDetails,
  type QuarantineEntry,
} from '../../../store/listings/list-quarantine.ts';
import { decodeCursor, numberInCursor, pageOf } from '../../cursor.ts';
import { defineOperation, type KeyedOperation } from '../../operation.ts';
import { notFound } from '../../problem.ts';
import { ok } from '../../reply.ts';
import {
  closed,
  count,
  deviceIdSchema,
  idInPath,
  listOf,
  listQuery,
  nullable,
  ofDevice,
  rangeQuery,
  timeSchema,
} from '../../schemas.ts';
import type { Scope } from './scope.ts';
import { reasonSchema } from './selection.ts';

export const tag = 'Quarantine';

const text = nullable(Type.String());

const entrySchema = closed({
  id: Type.Integer(),
  reason: Type.String(),
  detail: Type.String(),
  sqlstate: text,
  tenant_id: nullable(Type.String({ description: 'null: could not be read' })),
  device_id: text,
  msg_type: text,
  arrived_at: timeSchema,
  quarantined_at: timeSchema,
  size_bytes: count,
  mended: Type.Boolean(),
});

const detailsSchema = closed({
  ...entrySchema.properties,
  subject: Type.String(),
  stream_seq: Type.Integer(),
  identity: Type.String(),
  identity_kind: Type.String(),
  intact: Type.Boolean({
    description: 'false: a token stood where values stand; only a mended one can be stored',
  }),
  envelope: nullable(Type.String({ description: 'as it came, without its token; null: it is no text' })),
  envelope_base64: nullable(Type.String({ description: 'where it is no text' })),
  payload: nullable(Type.String({ description: 'the payload in it, as text; null: could not be read' })),
  mended_payload: nullable(Type.String({ description: 'what replays judge instead; null: not mended' })),
  mended_by: text,
  mended_at: nullable(timeSchema),
});

function showEntry({ quarantine_id: id, ...entry }: QuarantineEntry) {
  return { id, ...entry };
}

function showDetails({ envelope, identity, ...row }: QuarantineDetails) {
  const envelopeText = decodeUtf8(envelope);
  return {
    ...showEntry(row),
    identity: identity.replaceAll('-', ''),
    envelope: envelopeText ?? null,
    envelope_base64: envelopeText === undefined ? envelope.toString('base64') : null,
    payload: (envelopeText === undefined ? undefined : payloadOf(envelopeText)) ?? null,
  };
}

/** A payload that came as a string of JSON is shown as that JSON. */
function payloadOf(envelope: string): string | undefined {
  try {
    JSON.parse(envelope);
    const span = memberSpan(envelope, 'payload');
    if (span === undefined) return undefined;
    const payload = envelope.slice(span.valueStart, span.valueEnd);
    return payload.startsWith('"') ? String(JSON.parse(payload)) : payload;
  } catch {
    return undefined;
  }
}

const filters = {
  reason: Type.Optional(reasonSchema),
  mended: Type.Optional(Type.Boolean()),
  ...rangeQuery,
  ...listQuery,
};

interface ListQuery {
  readonly reason?: string;
  readonly device_id?: string;
  readonly mended?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
  readonly cursor?: string;
}

function filterOf({ device_id: deviceId, limit, cursor, ...query }: ListQuery, tenantId: string | undefined) {
  const [beforeId] = decodeCursor(cursor, [numberInCursor]) ?? [];
  return { ...query, deviceId, tenantId, beforeId, limit: limit + 1 };
}

const pageOfEntries = (rows: readonly QuarantineEntry[], limit: number) =>
  pageOf(rows, limit, ({ quarantine_id: id }) => [String(id)], showEntry);

export function listOperation(scope: Scope): KeyedOperation {
  return defineOperation({
    method: 'GET',
    path: `${scope.prefix}/quarantine`,
    id: scope.idOf('list', 'Quarantined'),
    tag,
    summary: `${capital(scope.whose)} messages that were not accepted, newest first`,
    access: scope.accessOf('read'),
    params: scope.params,
    query: { device_id: Type.Optional(deviceIdSchema), ...filters },
    answers: { 200: { description: 'A page of messages', schema: listOf(entrySchema) } },
    handle: async ({ params, query }, { read }) =>
      ok(
        pageOfEntries(
          await read((client) => listQuarantine(client, filterOf(query, params.tenant_id))),
          query.limit,
        ),
      ),
  });
}

export const listOfDevice = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices/{device_id}/rejected',
  id: 'listRejectedOfDevice',
  tag,
  summary: 'A device’s messages that were not accepted, newest first',
  description: 'Also of a device that is not registered: what names it.',
  access: 'read',
  params: ofDevice,
  query: filters,
  answers: { 200: { description: 'A page of messages', schema: listOf(entrySchema) } },
  handle: async ({ params, query }, { read }) => {
    const filter = filterOf({ ...query, device_id: params.device_id }, params.tenant_id);
    return ok(pageOfEntries(await read((client) => listQuarantine(client, filter)), query.limit));
  },
});

export function getOperation(scope: Scope): KeyedOperation {
  return defineOperation({
    method: 'GET',
    path: `${scope.prefix}/quarantine/{quarantine_id}`,
    id: scope.idOf('get', 'Quarantined'),
    tag,
    summary: `One of ${scope.whose} quarantined messages as it came, and what it was mended with`,
    access: scope.accessOf('read'),
    params: { ...scope.params, quarantine_id: idInPath },
    answers: { 200: { description: 'The message', schema: detailsSchema } },
    handle: async ({ params }, { read }) => {
      const found = await read((client) =>
        findQuarantined(client, BigInt(params.quarantine_id), params.tenant_id),
      );
      if (found === undefined) throw notFound();
      return ok(showDetails(found));
    },
  });
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
