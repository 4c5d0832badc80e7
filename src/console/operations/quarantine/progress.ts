import Type from 'typebox';
import { JsonText } from '../../../lib/to-json.ts';
import { type ReplayRow, selectReplay } from '../../../store/quarantine/select-replay.ts';
import { defineOperation, type KeyedOperation } from '../../operation.ts';
import { notFound } from '../../problem.ts';
import { ok } from '../../reply.ts';
import { anyJson, closed, count, idInPath, nullable, oneOf, timeSchema } from '../../schemas.ts';
import { tag } from './look.ts';
import type { Scope } from './scope.ts';

/** Longer than any transaction of a replay, and than the pauses between its attempts. */
const lostAfterMs = 120_000;

const states = ['running', 'done', 'failed', 'lost'] as const;

const progressSchema = closed({
  replay_id: Type.Integer(),
  tenant_id: nullable(Type.String({ description: 'null: an operator’s, of any tenant' })),
  by: Type.String(),
  selection: anyJson,
  vouched_because: nullable(Type.String()),
  state: oneOf(states, 'lost: its process ended; the same replay again goes on from there'),
  done: Type.Boolean({ description: 'nothing more comes of it' }),
  total: nullable(count),
  stored: count,
  duplicate: count,
  quarantined: Type.Integer({ minimum: 0, description: 'judged, and still refused' }),
  started_at: timeSchema,
  updated_at: timeSchema,
  finished_at: nullable(timeSchema),
  error: nullable(Type.String()),
});

export function progressOperation(scope: Scope): KeyedOperation {
  return defineOperation({
    method: 'GET',
    path: `${scope.prefix}/replays/{replay_id}`,
    id: scope.prefix === '' ? 'getAnyReplay' : 'getReplay',
    tag,
    summary: `How far one of ${scope.whose} replays is`,
    access: scope.accessOf('read'),
    params: { ...scope.params, replay_id: idInPath },
    answers: { 200: { description: 'The replay', schema: progressSchema } },
    handle: async ({ params }, { read }) => {
      const row = await read((client) => selectReplay(client, params.replay_id, params.tenant_id));
      if (row === undefined) throw notFound();
      return ok(show(row));
    },
  });
}

function show(row: ReplayRow) {
  const state = stateOf(row);
  const { operator: by, filter, duplicates, refused, idle_ms: _idle, ...rest } = row;
  return {
    ...rest,
    by,
    selection: new JsonText(filter),
    duplicate: duplicates,
    quarantined: refused,
    state,
    done: state !== 'running',
  };
}

function stateOf({ finished_at: finishedAt, error, idle_ms: idleMs }: ReplayRow): (typeof states)[number] {
  if (finishedAt !== null) return error === null ? 'done' : 'failed';
  return idleMs > lostAfterMs ? 'lost' : 'running';
}
