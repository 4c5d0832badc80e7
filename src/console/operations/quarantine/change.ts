import Type from 'typebox';
import type { Actor } from '../../../model/actor.ts';
import { purgeQuarantine } from '../../../store/quarantine/purge.ts';
import { openSelected } from '../../../store/quarantine/replays.ts';
import { countSelected } from '../../../store/quarantine/select-page.ts';
import { type QuarantineSelection, selectionText } from '../../../store/quarantine/selection.ts';
import type { OperationContext } from '../../context.ts';
import { defineOperation, type KeyedOperation } from '../../operation.ts';
import { invalidInput, notFound } from '../../problem.ts';
import { accepted, ok, type Reply } from '../../reply.ts';
import { closed, count, idInPath, nullable } from '../../schemas.ts';
import { tag } from './look.ts';
import type { Scope } from './scope.ts';
import { selectionMembers, selectionOf } from './selection.ts';

export function mendOperation(scope: Scope): KeyedOperation {
  return defineOperation({
    method: 'POST',
    path: `${scope.prefix}/quarantine/{quarantine_id}/mend`,
    id: scope.idOf('mend', 'Quarantined'),
    tag,
    summary: `Put another payload in the place of the own one of one of ${scope.whose} messages`,
    description:
      'The message stays as it came; replays judge the new payload, at the original arrival, under the original ' +
      'identity and by the token that it was sent with. It must hold no token. The answer says what a replay would ' +
      'make of it now.',
    access: scope.accessOf('write'),
    params: { ...scope.params, quarantine_id: idInPath },
    body: closed({
      payload: Type.Union(
        [Type.String({ maxLength: 1_048_576 }), Type.Object({}, { additionalProperties: true })],
        {
          description: 'a JSON object, or its text; either keeps its numbers as they are written',
        },
      ),
    }),
    answers: {
      200: {
        description: 'Mended',
        schema: closed({
          id: Type.Integer(),
          passes: Type.Boolean(),
          reason: nullable(Type.String({ description: 'why a replay would refuse it still' })),
          detail: nullable(Type.String()),
        }),
      },
    },
    handle: async ({ params, body }, { change, services, actor }) => {
      const id = BigInt(params.quarantine_id);
      const payload = typeof body.payload === 'string' ? body.payload : JSON.stringify(body.payload);
      const note = {
        action: 'quarantine.mend',
        target: params.quarantine_id,
        detail: ({ passes, reason }: Mended) => ({ passes, reason }),
      };
      const answer = await change(note, async (client) => {
        const mended = await services.quarantine.mend(client, {
          id,
          tenantId: params.tenant_id,
          payload,
          by: nameOf(actor),
        });
        if (mended === undefined) throw notFound();
        if ('refused' in mended) throw invalidInput(`payload: ${mended.refused}`);
        return mended.passes ? { passes: true, reason: null, detail: null } : mended;
      });
      const { passes, reason, detail } = answer;
      return ok({ id, passes, reason, detail });
    },
  });
}

interface Mended {
  readonly passes: boolean;
  readonly reason: string | null;
  readonly detail: string | null;
}

const foreseenSchema = closed({
  dry_run: Type.Literal(true),
  messages: count,
  tokens: closed({ current: count, earlier: count, mismatch: count, none: count }),
  stored: count,
  duplicate: count,
  quarantined: count,
  reasons: Type.Record(Type.String(), count),
  only_mended: Type.Integer({ description: 'of the quarantined: can only be stored mended' }),
  complete: Type.Boolean(),
});

export function replayOperation(scope: Scope): KeyedOperation {
  return defineOperation({
    method: 'POST',
    path: `${scope.prefix}/quarantine/replay`,
    id: scope.idOf('replay', 'Quarantined'),
    tag,
    summary: `Judge ${scope.whose} quarantined messages again, and store what passes now`,
    description:
      'Goes on in the background; `GET …/replays/{replay_id}` says how far it is. A token must be one that the device has or had; ' +
      '`vouch` takes messages whose token says otherwise and those of revoked devices, which is noted. One replay of a ' +
      'tenant at a time (409).',
    access: scope.accessOf('write'),
    params: scope.params,
    body: closed({
      ...selectionMembers,
      vouch: Type.Optional(Type.Boolean()),
      because: Type.Optional(
        Type.String({ minLength: 1, maxLength: 512, description: 'why you vouch; noted' }),
      ),
      dry_run: Type.Optional(Type.Boolean({ description: 'change nothing; say what would become of them' })),
    }),
    answers: {
      200: {
        description: 'Of a dry run, or where nothing is selected',
        schema: Type.Union([foreseenSchema, closed({ replay_id: Type.Null(), total: count })]),
      },
      202: { description: 'Begun', schema: closed({ replay_id: Type.Integer(), total: count }) },
    },
    handle: async ({ params, body }, context) => {
      const selection = selectionOf(body, params.tenant_id);
      const vouch = body.vouch === true;
      if (body.because !== undefined && !vouch) throw invalidInput('because: is of vouch: true');
      if (body.dry_run === true) return foresee(selection, vouch, context);
      const because = vouch ? (body.because ?? `vouched for by ${nameOf(context.actor)}`) : undefined;
      return begin({ selection, because }, params.tenant_id, context);
    },
  });
}

async function foresee(
  selection: QuarantineSelection,
  vouch: boolean,
  { services, request }: OperationContext,
): Promise<Reply> {
  const stop = request.signal;
  const { duplicates, refused, reasons, altered, ...rest } = await services.quarantine.foresee({
    selection,
    vouch,
    stop,
  });
  return ok({
    dry_run: true,
    ...rest,
    duplicate: duplicates,
    quarantined: refused,
    reasons: Object.fromEntries(reasons),
    only_mended: altered,
  });
}

async function begin(
  { selection, because }: { readonly selection: QuarantineSelection; readonly because: string | undefined },
  tenantId: string | undefined,
  { services, actor, change }: OperationContext,
): Promise<Reply> {
  const filter = selectionText(selection);
  const place = services.quarantine.replays.reserve(tenantId);
  const detail = { selection: JSON.parse(filter), vouched_because: because };
  const opened = await change(
    {
      action: 'quarantine.replay',
      target: 'quarantine',
      detail: (found: { readonly replayId: number; readonly total: number } | undefined) => ({
        ...detail,
        replay_id: found?.replayId,
        total: found?.total ?? 0,
      }),
    },
    (client) =>
      openSelected(client, selection, { tenantId, operator: nameOf(actor), filter, vouchedBecause: because }),
  ).catch((error: unknown) => {
    place.release();
    throw error;
  });
  if (opened === undefined) {
    place.release();
    return ok({ replay_id: null, total: 0 });
  }
  place.start(opened, { selection, vouch: because !== undefined });
  return accepted({ replay_id: opened.replayId, total: opened.total });
}

export function purgeOperation(scope: Scope): KeyedOperation {
  return defineOperation({
    method: 'POST',
    path: `${scope.prefix}/quarantine/purge`,
    id: scope.idOf('purge', 'Quarantined'),
    tag,
    summary: `Delete ${scope.whose} quarantined messages for good`,
    description: 'They stay counted. What a replay has in hand at the moment is left.',
    access: scope.accessOf('write'),
    params: scope.params,
    body: closed({ ...selectionMembers, dry_run: Type.Optional(Type.Boolean()) }),
    answers: {
      200: {
        description: 'Deleted, or counted',
        schema: closed({ dry_run: Type.Boolean(), messages: count, purged: count }),
      },
    },
    handle: async ({ params, body }, { read, change, request }) => {
      const selection = selectionOf(body, params.tenant_id);
      if (body.dry_run === true) {
        const { rows } = await read((client) => countSelected(client, selection));
        return ok({ dry_run: true, messages: rows, purged: 0 });
      }
      const note = {
        action: 'quarantine.purge',
        target: 'quarantine',
        detail: (done: { readonly purged: number }) => ({
          selection: JSON.parse(selectionText(selection)),
          purged: done.purged,
        }),
      };
      const done = await change(note, async (client) => {
        const { rows: messages, newestId: upTo } = await countSelected(client, selection);
        const onProgress = () => undefined;
        return {
          messages,
          purged: await purgeQuarantine(client, selection, { upTo, onProgress, stop: request.signal }),
        };
      });
      return ok({ dry_run: false, ...done });
    },
  });
}

/** As `replays` and the quarantine note it. */
function nameOf({ kind, name }: Actor): string {
  return `${kind} key ${name}`;
}
