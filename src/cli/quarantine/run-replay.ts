import { createPartitions } from '../../store/partitions.ts';
import { readingsSubject, streamName } from '../../stream/subjects.ts';
import type { DecodeOptions } from '../../worker/decode.ts';
import { type ReplayOptions, type ReplayResult, replay } from '../../worker/replay/replay.ts';
import { createTap } from '../../worker/tap.ts';
import { createCliLog, withDatabase, withNats } from '../connect.ts';
import type { Invocation } from '../define-command.ts';
import { selectionText } from './selection-options.ts';

export interface ReplayRequest
  extends Pick<ReplayOptions, 'selection' | 'vouch' | 'onProgress' | 'stop' | 'decodeOptions'> {
  /** Who replays. */
  readonly by: string;
  readonly vouchedBecause: string | undefined;
}

type Tap = ReplayOptions['onSettled'];

/** Replays in the instance's database; live taps see what is stored where NATS can be reached. */
export async function runReplay(invocation: Invocation, request: ReplayRequest): Promise<ReplayResult> {
  return withTap(invocation, (onSettled) =>
    withDatabase(invocation, (pool) => {
      const { config, random } = invocation;
      const log = createCliLog(config);
      return replay({
        ...request,
        pool,
        note: {
          operator: request.by,
          filter: selectionText(request.selection),
          vouchedBecause: request.vouchedBecause,
        },
        partitions: createPartitions({ pool, log, clock: () => performance.now() }),
        thresholds: config,
        maxSensors: config.maxSensors,
        onSettled,
        random,
        log,
      });
    }),
  );
}

/** Storing does not wait for NATS: without it the taps miss what they may miss anyway. */
async function withTap(
  invocation: Invocation,
  work: (tap: Tap) => Promise<ReplayResult>,
): Promise<ReplayResult> {
  let result: Promise<ReplayResult> | undefined;
  try {
    return await withNats(invocation, async (nc) => {
      const tap = createTap((tenantId, deviceId, data) => {
        if (!nc.isClosed()) nc.publish(readingsSubject(tenantId, deviceId), data);
      });
      result = work(tap);
      const replayed = await result;
      await nc.flush();
      return replayed;
    });
  } catch {
    if (result !== undefined) return await result;
    invocation.terminal.note('NATS cannot be reached: live taps will not see what is replayed.');
    return work(() => {});
  }
}

/** What form is judged by, as in the workers. */
export function decodeOptionsOf({ config }: Pick<Invocation, 'config'>): DecodeOptions {
  return {
    stream: streamName,
    maxBodyBytes: config.maxBodyBytes,
    maxMetrics: config.maxMetrics,
    maxAheadMs: config.maxAheadMs,
    retentionMs: config.retentionDays * 86_400_000,
  };
}
