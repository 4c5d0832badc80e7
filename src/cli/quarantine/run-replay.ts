import { replayOptionsOf } from '../../roles/settling/replay-options.ts';
import { selectionText } from '../../store/quarantine/selection.ts';
import { type ReplayOptions, type ReplayResult, replay } from '../../worker/replay/replay.ts';
import { insertNote } from '../audited.ts';
import { createCliLog, withDatabase, withNats } from '../connect.ts';
import type { Invocation } from '../define-command.ts';
import { JsonText } from '../output/json.ts';

export interface ReplayRequest extends Pick<ReplayOptions, 'selection' | 'vouch' | 'onProgress' | 'stop'> {
  /** Who replays. */
  readonly by: string;
  readonly vouchedBecause: string | undefined;
}

type Publish = (subject: string, data: string) => void;

/** Replays in the instance's database; live taps see what is stored where NATS can be reached. */
export async function runReplay(invocation: Invocation, request: ReplayRequest): Promise<ReplayResult> {
  const { config, random } = invocation;
  const { by, vouchedBecause, selection } = request;
  const filter = selectionText(selection);
  return withPublish(invocation, (publish) =>
    withDatabase(invocation, (pool) =>
      replay({
        ...replayOptionsOf({ config, pool, publish, random, log: createCliLog(config) }),
        ...request,
        note: { operator: by, filter, vouchedBecause },
        onOpened: async (db, { replayId, total }) => {
          const detail = {
            selection: new JsonText(filter),
            vouched_because: vouchedBecause,
            by,
            replay_id: replayId,
            total,
          };
          const note = { action: 'quarantine.replay', target: 'quarantine', detail };
          await insertNote(db, invocation, { ...note, tenantId: selection.tenantId });
        },
      }),
    ),
  );
}

/** Storing does not wait for NATS: without it the taps miss what they may miss anyway. */
async function withPublish(
  invocation: Invocation,
  work: (publish: Publish | undefined) => Promise<ReplayResult>,
): Promise<ReplayResult> {
  let result: Promise<ReplayResult> | undefined;
  try {
    return await withNats(invocation, async (nc) => {
      result = work((subject, data) => {
        if (!nc.isClosed()) nc.publish(subject, data);
      });
      const replayed = await result;
      await nc.flush();
      return replayed;
    });
  } catch {
    if (result !== undefined) return await result;
    invocation.terminal.note('NATS cannot be reached: live taps will not see what is replayed.');
    return work(undefined);
  }
}
