import type pg from 'pg';
import type { Logger } from 'pino';
import type { RollupMetrics } from '../../observe/rollups.ts';
import { type Alone, startAlone } from '../alone.ts';
import { createSchedule, type Task } from '../maintenance/schedule.ts';
import { advanceRollups } from './advance-rollups.ts';
import { rollUpOwed } from './roll-up-owed.ts';

export interface RollerOptions {
  readonly pool: pg.Pool;
  readonly log: Logger;
  /** Milliseconds that never go back, such as `performance.now`. */
  readonly clock: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly metrics: RollupMetrics;
  readonly intervals?: Partial<RollerIntervals>;
}

export interface RollerIntervals {
  /** Between two looks for whether 5 minutes are full. */
  readonly rollMs: number;
  /** Between two looks for what is owed: a device that sends late marks a bucket again and again. */
  readonly owedMs: number;
  /** After a failure. */
  readonly retryMs: number;
  /** How often a process that is not the one looks whether the place is free. */
  readonly standbyMs: number;
}

export const rollerDefaults = {
  intervals: { rollMs: 15_000, owedMs: 30_000, retryMs: 60_000, standbyMs: 5_000 },
  /** The newest reading is so much ahead, at least. */
  lagMs: 120_000,
  awaitWritersMs: 5_000,
  /** A month at first start, or 5 minutes of very many devices. */
  statementTimeoutMs: 600_000,
  /** Rolling up is halved or doubled towards taking so long at a time. */
  aimMs: 1_000,
  maxBuckets: 2_016,
  maxMarks: 2_000,
} as const;

/** Any constant does, as long as every process takes the same. */
const rollerLock = 7_710_240_005;

/** Keeps the roll-ups of telemetry, in one process of all that start it. */
export function startRoller(options: RollerOptions): Alone {
  const { pool, log, clock, metrics } = options;
  const intervals = { ...rollerDefaults.intervals, ...options.intervals };
  return startAlone({
    pool,
    lock: rollerLock,
    standbyMs: intervals.standbyMs,
    statementTimeoutMs: rollerDefaults.statementTimeoutMs,
    serve: async (client, turn) => {
      // Ingestion has the other cores; and one group for each device and metric is to be held in memory.
      await client.query(`set max_parallel_workers_per_gather = 0; set work_mem = '64MB'`);
      const tasks = [
        rollUpTask(client, options, intervals.rollMs),
        owedTask(client, options, intervals.owedMs),
      ];
      const schedule = createSchedule(tasks, {
        clock,
        afterFailureMs: intervals.retryMs,
        onFailure: async (task, error) => {
          log.warn({ event: 'rollup_failed', err: error, task }, 'rolling up failed: trying again later');
          metrics.failed(task === owedTaskName ? 'owed' : 'window');
          // A lost connection has lost the lock: this throws and ends the service.
          await client.query('select 1');
        },
      });
      try {
        while (!turn.stopped) await turn.wait(await schedule.runDue());
      } finally {
        metrics.ended();
      }
    },
    onInterrupted: (error) => {
      log.warn({ event: 'rollup_interrupted', err: error }, 'the roller lost the database: trying again');
      metrics.failed('connection');
    },
  });
}

const owedTaskName = 'roll up what is owed';
type TaskOptions = Pick<RollerOptions, 'clock' | 'wallClock' | 'metrics'>;

/** While it is behind, it rests as long as it works. */
function rollUpTask(client: pg.Client, options: TaskOptions, everyMs: number): Task {
  const { clock, wallClock, metrics } = options;
  const { lagMs, awaitWritersMs, aimMs } = rollerDefaults;
  // The first shows how much a bucket holds: twelve of a large fleet take minutes, in which no space is used again.
  let maxBuckets = 1;
  return {
    name: 'roll up',
    run: async () => {
      const startedAt = clock();
      const { state, behindSeconds } = await advanceRollups(client, { lagMs, awaitWritersMs, maxBuckets });
      metrics.advanced(behindSeconds, wallClock() / 1_000);
      if (state !== 'behind') return everyMs;
      const tookMs = clock() - startedAt;
      maxBuckets =
        tookMs < aimMs
          ? Math.min(maxBuckets * 2, rollerDefaults.maxBuckets)
          : Math.max(1, Math.floor(maxBuckets / 2));
      return tookMs;
    },
  };
}

function owedTask(client: pg.Client, { clock }: TaskOptions, everyMs: number): Task {
  const { maxMarks } = rollerDefaults;
  return {
    name: owedTaskName,
    run: async () => {
      const startedAt = clock();
      const marks = await rollUpOwed(client, maxMarks);
      return marks < maxMarks ? everyMs : clock() - startedAt;
    },
  };
}
