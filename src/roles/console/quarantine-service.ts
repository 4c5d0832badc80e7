import { createBackgroundReplays } from '../../console/background-replays.ts';
import type { QuarantineService } from '../../console/quarantine-service.ts';
import { finishReplay } from '../../store/quarantine/replays.ts';
import { dryRun } from '../../worker/replay/dry-run.ts';
import { MendRefusedError, mend } from '../../worker/replay/mend.ts';
import { runOpened } from '../../worker/replay/replay.ts';
import { decodeOptionsOf } from '../settling/decode-options.ts';
import { type ReplayParts, replayOptionsOf } from '../settling/replay-options.ts';

const onProgress = () => undefined;

/** The API's hold on the quarantine, by the worker's rules and the process's settings. */
export function createQuarantineService(parts: ReplayParts): QuarantineService {
  const { config, pool, log } = parts;
  const decodeOptions = decodeOptionsOf(config);
  const options = replayOptionsOf(parts);
  return {
    mend: async (db, request) => {
      try {
        return await mend(db, request, { decodeOptions, vouch: false });
      } catch (error) {
        if (error instanceof MendRefusedError) return { refused: error.message };
        throw error;
      }
    },
    foresee: (request) => dryRun({ ...request, db: pool, decodeOptions, onProgress }),
    replays: createBackgroundReplays({
      run: (opened, request) => runOpened(opened, { ...options, ...request, onProgress }),
      noteFailure: (replayId, error) => finishReplay(pool, replayId, error),
      log,
    }),
  };
}
