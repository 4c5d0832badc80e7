import Type, { type Static } from 'typebox';
import { JsonText } from '../../lib/to-json.ts';
import { deadLetterReasons } from '../../model/dead-letter.ts';
import type { TenantId } from '../../model/identifiers.ts';
import {
  type DeadLetterDetails,
  type DeadLetterEntry,
  findDeadLetter,
  listDeadLetters,
} from '../../store/routes/dead-letters/list-dead-letters.ts';
import { purgeDeadLetters } from '../../store/routes/dead-letters/purge-dead-letters.ts';
import {
  countReplayable,
  type Replayable,
  replayDeadLettersIn,
} from '../../store/routes/dead-letters/replay-dead-letters.ts';
import { countDeadLetters, type DeadLetterSelection } from '../../store/routes/dead-letters/selection.ts';
import { decodeCursor, numberInCursor, pageOf } from '../cursor.ts';
import { defineOperation } from '../operation.ts';
import { notFound } from '../problem.ts';
import { ok } from '../reply.ts';
import {
  anyJson,
  closed,
  count,
  idInPath,
  listOf,
  listQuery,
  nullable,
  ofTenant,
  oneOf,
  rangeQuery,
  timeSchema,
} from '../schemas.ts';
import { commonPartsOf, commonSelection, requireSome } from './selection.ts';

const tag = 'Dead letters';
const text = nullable(Type.String());
const reasonSchema = oneOf(deadLetterReasons, 'why it was given up');
const routeSchema = Type.String({ minLength: 1, maxLength: 64, description: 'of routes with this name' });

const entrySchema = closed({
  id: Type.Integer(),
  tenant_id: Type.String(),
  route_id: Type.Integer(),
  route_name: Type.String(),
  reason: Type.String(),
  detail: Type.String(),
  kind: oneOf(['message', 'status']),
  time: nullable(timeSchema),
  identity: text,
  attempts: count,
  first_at: timeSchema,
  dead_at: timeSchema,
});

const detailsSchema = closed({
  ...entrySchema.properties,
  event: anyJson,
  device_id: nullable(
    Type.String({ description: 'this and the rest: null where the message is not stored any more' }),
  ),
  site_id: text,
  msg_type: text,
  metrics: anyJson,
  extra: anyJson,
});

function showEntry({ dead_letter_id: id, ...entry }: DeadLetterEntry) {
  return { id, ...entry };
}

function showDetails(found: DeadLetterDetails) {
  const asJson = (json: string | null) => (json === null ? null : new JsonText(json));
  const { event, metrics, extra } = found;
  return { ...showEntry(found), event: asJson(event), metrics: asJson(metrics), extra: asJson(extra) };
}

const list = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/dead-letters',
  id: 'listDeadLetters',
  tag,
  summary: 'What routes could not deliver, newest first',
  access: 'read',
  params: ofTenant,
  query: {
    route: Type.Optional(routeSchema),
    reason: Type.Optional(reasonSchema),
    ...rangeQuery,
    ...listQuery,
  },
  answers: { 200: { description: 'A page of dead letters', schema: listOf(entrySchema) } },
  handle: async ({ params, query: { cursor, limit, ...filter } }, { read }) => {
    const [beforeId] = decodeCursor(cursor, [numberInCursor]) ?? [];
    const wanted = { ...filter, tenantId: params.tenant_id, beforeId, limit: limit + 1 };
    const rows = await read((client) => listDeadLetters(client, wanted));
    return ok(pageOf(rows, limit, ({ dead_letter_id: id }) => [String(id)], showEntry));
  },
});

const get = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/dead-letters/{dead_letter_id}',
  id: 'getDeadLetter',
  tag,
  summary: 'One dead letter with its message',
  access: 'read',
  params: { ...ofTenant, dead_letter_id: idInPath },
  answers: { 200: { description: 'The dead letter', schema: detailsSchema } },
  handle: async ({ params }, { read }) => {
    const id = BigInt(params.dead_letter_id);
    const found = await read((client) => findDeadLetter(client, id, params.tenant_id));
    if (found === undefined) throw notFound();
    return ok(showDetails(found));
  },
});

const selectionMembers = {
  ...commonSelection,
  reason: Type.Optional(reasonSchema),
  route: Type.Optional(routeSchema),
};
const changeBody = closed({ ...selectionMembers, dry_run: Type.Optional(Type.Boolean()) });

/** @throws Problem when nothing says which */
function selectionOf(
  { reason, route, all, dry_run: _, ...common }: Static<typeof changeBody>,
  tenantId: TenantId,
): DeadLetterSelection {
  const parts: DeadLetterSelection = { reason, route, ...commonPartsOf(common) };
  const whatToSay = 'say which dead letters: by ids, route, reason or before, or all: true';
  return { ...requireSome(parts, all, whatToSay), tenantId };
}

const replay = defineOperation({
  method: 'POST',
  path: '/tenants/{tenant_id}/dead-letters/replay',
  id: 'replayDeadLetters',
  tag,
  summary: 'Send dead letters again',
  description:
    'Each is queued for its route under the webhook-id that it had, and becomes a dead letter again when that fails. ' +
    'What has no route any more stays, and what waits for a route that is off.',
  access: 'write',
  params: ofTenant,
  body: changeBody,
  answers: {
    200: {
      description: 'Queued, or looked at',
      schema: closed({
        dry_run: Type.Boolean(),
        ready: count,
        replayed: count,
        route_removed: count,
        route_disabled: count,
        message_gone: count,
      }),
    },
  },
  handle: async ({ params, body }, { read, change, request }) => {
    const selection = selectionOf(body, params.tenant_id);
    if (body.dry_run === true) {
      const found = await read(async (client) =>
        countReplayable(client, selection, (await countDeadLetters(client, selection)).newestId),
      );
      return ok({ dry_run: true, replayed: 0, ...showReplayable(found) });
    }
    const note = {
      action: 'dead-letters.replay',
      target: 'dead-letters',
      detail: (done: { readonly replayed: number }) => ({ selection: shown(body), replayed: done.replayed }),
    };
    const { found, replayed } = await change(note, async (client) => {
      const { newestId: upTo } = await countDeadLetters(client, selection);
      const found = await countReplayable(client, selection, upTo);
      const options = { upTo, onProgress: () => undefined, stop: request.signal };
      return { found, replayed: await replayDeadLettersIn(client, selection, options) };
    });
    return ok({ dry_run: false, replayed, ...showReplayable(found) });
  },
});

function showReplayable({ ready, routeRemoved, routeDisabled, messageGone }: Replayable) {
  return { ready, route_removed: routeRemoved, route_disabled: routeDisabled, message_gone: messageGone };
}

const purge = defineOperation({
  method: 'POST',
  path: '/tenants/{tenant_id}/dead-letters/purge',
  id: 'purgeDeadLetters',
  tag,
  summary: 'Delete dead letters for good',
  description: 'They stay counted, and the messages themselves stay stored.',
  access: 'write',
  params: ofTenant,
  body: changeBody,
  answers: {
    200: {
      description: 'Deleted, or counted',
      schema: closed({ dry_run: Type.Boolean(), dead_letters: count, purged: count }),
    },
  },
  handle: async ({ params, body }, { read, change, request }) => {
    const selection = selectionOf(body, params.tenant_id);
    if (body.dry_run === true) {
      const { rows } = await read((client) => countDeadLetters(client, selection));
      return ok({ dry_run: true, dead_letters: rows, purged: 0 });
    }
    const note = {
      action: 'dead-letters.purge',
      target: 'dead-letters',
      detail: (done: { readonly purged: number }) => ({ selection: shown(body), purged: done.purged }),
    };
    const { rows, purged } = await change(note, async (client) => {
      const { rows, newestId: upTo } = await countDeadLetters(client, selection);
      const options = { upTo, onProgress: () => undefined, stop: request.signal };
      return { rows, purged: await purgeDeadLetters(client, selection, options) };
    });
    return ok({ dry_run: false, dead_letters: rows, purged });
  },
});

function shown({ dry_run: _, ...selection }: Static<typeof changeBody>) {
  return selection;
}

export const deadLetterOperations = [list, get, replay, purge];
