import type { Logger } from 'pino';
import type { OpenedReplay } from '../store/quarantine/replays.ts';
import type { QuarantineSelection } from '../store/quarantine/selection.ts';
import { Problem } from './problem.ts';

export interface ReplayRequest {
  readonly selection: QuarantineSelection;
  readonly vouch: boolean;
  readonly stop: AbortSignal;
}

/** Runs a replay that is noted already, up to its end. */
export type RunReplay = (opened: OpenedReplay, request: ReplayRequest) => Promise<unknown>;

/**
 * Replays that go on when the request that began them is answered: in this process, one of a tenant at a time and a few
 * altogether. How far each is stands in the database. One whose process ends stops where it is: what it has done is
 * settled, the rest is still in the quarantine, and the same replay again goes on from there.
 */
export interface BackgroundReplays {
  /**
   * Takes a place for a tenant's replay, or for one of an operator over all.
   * @throws Problem when there is none
   */
  reserve(tenantId: string | undefined): Place;
  /** Ends those that run between two transactions, and waits for that. */
  drain(): Promise<void>;
}

/** To be used once: started or given back. */
export interface Place {
  start(opened: OpenedReplay, request: Omit<ReplayRequest, 'stop'>): void;
  release(): void;
}

export interface BackgroundReplaysOptions {
  readonly run: RunReplay;
  /** Notes in the database why a replay ended early. */
  readonly noteFailure: (replayId: number, error: string) => Promise<void>;
  readonly log: Logger;
  readonly maxAtOnce?: number;
}

const defaults = { maxAtOnce: 4, retryAfterSeconds: 5 } as const;

export function createBackgroundReplays(options: BackgroundReplaysOptions): BackgroundReplays {
  const { maxAtOnce = defaults.maxAtOnce } = options;
  const stopping = new AbortController();
  // The empty text is nobody's tenant id.
  const taken = new Set<string>();
  const running = new Set<Promise<void>>();
  return {
    reserve(tenantId) {
      const owner = tenantId ?? '';
      if (stopping.signal.aborted) throw new Problem('unavailable', 'The console is about to end');
      if (taken.has(owner))
        throw new Problem(
          'conflict',
          'A replay is at work already: wait for its end, or look at its progress',
        );
      if (taken.size >= maxAtOnce)
        throw new Problem('too_many_requests', `${maxAtOnce} replays are at work already`, {
          retryAfterSeconds: defaults.retryAfterSeconds,
        });
      taken.add(owner);
      const release = () => void taken.delete(owner);
      return {
        release,
        start(opened, request) {
          const done = runToEnd(opened, { ...request, stop: stopping.signal }, options).finally(() => {
            release();
            running.delete(done);
          });
          running.add(done);
        },
      };
    },
    drain: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** Never rejects. */
async function runToEnd(
  opened: OpenedReplay,
  request: ReplayRequest,
  { run, noteFailure, log }: BackgroundReplaysOptions,
): Promise<void> {
  const { replayId } = opened;
  try {
    await run(opened, request);
  } catch (error) {
    log.error({ event: 'replay_failed', err: error, replayId }, 'a replay ended early');
    await noteFailure(replayId, 'failed: the log of the console says why').catch(() => undefined);
  }
}
