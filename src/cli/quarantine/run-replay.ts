import { replayOptionsOf } from '../../roles/settling/replay-options.ts';
import { openSelected } from '../../store/quarantine/replays.ts';
import { selectionText } from '../../store/quarantine/selection.ts';
import { type ReplayResult, type RunOptions, runOpened } from '../../worker/replay/replay.ts';
import { change } from '../audited.ts';
import { createCliLog, withDatabase, withNats } from '../connect.ts';
import type { Invocation } from '../define-command.ts';
import { JsonText } from '../output/json.ts';

export interface ReplayRequest extends Pick<RunOptions, 'selection' | 'vouch' | 'onProgress' | 'stop'> {
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
    withDatabase(invocation, async (pool) => {
      const opened = await change(
        pool,
        invocation,
        (client) => openSelected(client, selection, { operator: by, filter, vouchedBecause }),
        (found) =>
          found && {
            tenantId: selection.tenantId,
            action: 'quarantine.replay',
            target: 'quarantine',
            detail: {
              selection: new JsonText(filter),
              vouched_because: vouchedBecause,
              by,
              replay_id: found.replayId,
              total: found.total,
            },
          },
      );
      const log = createCliLog(config);
      return runOpened(opened, { ...replayOptionsOf({ config, pool, publish, random, log }), ...request });
    }),
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
