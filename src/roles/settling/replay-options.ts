import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../../config/settings.ts';
import { createPartitions } from '../../store/partitions.ts';
import { readingsSubject } from '../../stream/subjects.ts';
import type { RunOptions } from '../../worker/replay/replay.ts';
import { createTap } from '../../worker/tap.ts';
import { decodeOptionsOf } from './decode-options.ts';

export interface ReplayParts {
  readonly config: Config;
  readonly pool: pg.Pool;
  /** On core NATS, for the live taps; undefined: nobody hears of it. */
  readonly publish: ((subject: string, data: string) => void) | undefined;
  readonly log: Logger;
  readonly random: () => number;
}

/** What every replay of an installation goes by: all but which messages, and who vouches. */
export function replayOptionsOf({
  config,
  pool,
  publish,
  log,
  random,
}: ReplayParts): Omit<RunOptions, 'selection' | 'vouch' | 'onProgress' | 'stop'> {
  return {
    pool,
    decodeOptions: decodeOptionsOf(config),
    partitions: createPartitions({ pool, log, clock: () => performance.now() }),
    thresholds: config,
    maxSensors: config.maxSensors,
    onSettled:
      publish === undefined
        ? () => {}
        : createTap((tenantId, deviceId, data) => publish(readingsSubject(tenantId, deviceId), data)),
    random,
    log,
  };
}
