import type pg from 'pg';
import type { Logger } from 'pino';
import { createWaker } from '../../lib/waker.ts';
import { unitOf } from '../../model/sensor-inference.ts';
import { listOwed, owe, readOwed } from '../../store/latest/owed.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import type { SensorValue } from '../../store/statements/upsert-sensors.ts';
import type { LatestValues, StoredReading } from './latest-values.ts';
import { NewestValues } from './newest-values.ts';
import { writeLatest } from './write-latest.ts';

export interface DeferredLatestOptions {
  readonly pool: pg.Pool;
  /** Sensors of a device that has no number of its own. */
  readonly maxSensors: number;
  readonly log: Logger;
  /** Milliseconds that never go back, such as `performance.now`. */
  readonly clock: () => number;
  readonly tuning?: Partial<DeferredLatestTuning>;
}

export interface DeferredLatestTuning {
  /** Between two writes, in which the values of many batches become one for each sensor. */
  readonly minRestMs: number;
  readonly maxRestMs: number;
  /** A write that takes long is followed by a rest of so many times as long, within the two above. */
  readonly restFactor: number;
  /** Sensors in memory: with more of them it is written at once. */
  readonly maxWaiting: number;
  /** Between two looks for what others have left. */
  readonly lookMs: number;
  /** What has been lying there for so long has nobody who writes it: its process died, or its COMMIT's answer was lost. */
  readonly leftAfterMs: number;
  /** Rows of what was left, read at once. */
  readonly maxLeft: number;
}

export const deferredLatestDefaults: DeferredLatestTuning = {
  minRestMs: 1_000,
  maxRestMs: 3_000,
  restFactor: 10,
  maxWaiting: 200_000,
  lookMs: 1_000,
  leftAfterMs: 6_000,
  maxLeft: 50,
};

export interface DeferredLatest extends LatestValues {
  /** Writes what is in memory, and ends. */
  drain(): Promise<void>;
}

/**
 * Writes latest values a moment after the readings, in transactions of their own: a sensor of which twenty readings came
 * meanwhile is updated once. Nothing is lost with the process: `latest_owed` says whose values are still to be written, in the
 * transaction of the readings, and who finds a row there that nobody takes away reads them out of `telemetry`.
 * Writing a value twice, or an older one after a newer, changes nothing: see `upsertSensors`.
 */
export function startDeferredLatest(options: DeferredLatestOptions): DeferredLatest {
  const tuning = { ...deferredLatestDefaults, ...options.tuning };
  const writer = createWriter(options, tuning.maxWaiting);
  const left = createLeftRows(options, tuning);
  const { clock } = options;
  let stopped = false;

  async function rest(restMs: number): Promise<void> {
    const until = clock() + restMs;
    for (let leftMs = restMs; !stopped && !writer.isFull && leftMs > 0; leftMs = until - clock())
      await writer.waker.wait(leftMs);
  }

  async function run(): Promise<void> {
    let lookedAtMs = clock();
    while (!stopped) {
      if (writer.isEmpty) await writer.waker.wait(tuning.lookMs);
      const beganAtMs = clock();
      const hasWritten = await writer.write();
      if (clock() - lookedAtMs >= tuning.lookMs) {
        await left.write(writer.owed);
        lookedAtMs = clock();
      }
      // What comes after a quiet time is written at once.
      if (!hasWritten) continue;
      const restMs = (clock() - beganAtMs) * tuning.restFactor;
      await rest(Math.min(tuning.maxRestMs, Math.max(tuning.minRestMs, restMs)));
    }
    await writer.write();
  }

  const running = run();
  return {
    record: (db, stored) => writer.record(db, stored),
    async drain() {
      stopped = true;
      writer.waker.wake();
      await running;
    },
  };
}

/** What this process has settled and not written yet. */
function createWriter({ pool, maxSensors, log }: DeferredLatestOptions, maxWaiting: number) {
  const waker = createWaker();
  let latest = new NewestValues();
  let owed: string[] = [];
  let failing = false;
  return {
    waker,
    get isEmpty() {
      return owed.length === 0;
    },
    get isFull() {
      return !failing && latest.size > maxWaiting;
    },
    get owed(): ReadonlySet<string> {
      return new Set(owed);
    },
    async record(db: Queryable, stored: readonly StoredReading[]): Promise<(() => void) | undefined> {
      const withValues = stored.filter(({ reading }) => Object.keys(reading.metrics).length > 0);
      if (withValues.length === 0) return undefined;
      const keys = withValues.map(({ reading, identity }) => ({ timeUs: reading.timeUs, identity }));
      const id = await owe(db, keys);
      return () => {
        const wasEmpty = owed.length === 0;
        owed.push(id);
        for (const accepted of withValues) latest.add(accepted, maxSensors);
        if (wasEmpty || latest.size > maxWaiting) waker.wake();
      };
    },
    /** @returns false when there was nothing to write */
    async write(): Promise<boolean> {
      if (owed.length === 0) return false;
      const [writing, ofRows] = [latest, owed];
      [latest, owed] = [new NewestValues(), []];
      try {
        await writeLatest(pool, writing.values(), ofRows, tellRefused(log));
        failing = false;
      } catch (error) {
        // Readings that were settled meanwhile are in the new map: newer ones among them stay.
        writing.merge(latest);
        latest = writing;
        owed = [...ofRows, ...owed];
        if (!failing)
          log.warn({ event: 'latest_failed', err: error }, 'latest values were not written: trying again');
        failing = true;
      }
      return true;
    },
  };
}

/** Rows of `latest_owed` that nobody takes away. */
function createLeftRows(
  { pool, maxSensors, log, clock }: DeferredLatestOptions,
  { leftAfterMs, maxLeft }: DeferredLatestTuning,
) {
  // By this process's clock: that of the database may step.
  let seenAtMs = new Map<string, number>();
  return {
    async write(own: ReadonlySet<string>): Promise<void> {
      try {
        const nowMs = clock();
        const there = await listOwed(pool);
        seenAtMs = new Map(there.map((id) => [id, seenAtMs.get(id) ?? nowMs]));
        const left = there.filter((id) => !own.has(id) && nowMs - (seenAtMs.get(id) ?? nowMs) >= leftAfterMs);
        const taken = left.slice(0, maxLeft);
        if (taken.length === 0) return;
        const values = await readOwed(pool, taken, maxSensors, unitOf);
        await writeLatest(pool, values, taken, tellRefused(log));
        log.info(
          { event: 'latest_recovered', batches: taken.length, sensors: values.length },
          'latest values were written that another process had left',
        );
      } catch (error) {
        log.warn({ event: 'latest_failed', err: error }, 'latest values that were left: trying again');
      }
    },
  };
}

function tellRefused(log: Logger) {
  return ({ tenantId, deviceId, metric }: SensorValue, error: unknown) =>
    log.error(
      { event: 'latest_refused', tenantId, deviceId, metric, err: error },
      'the database refused a latest value: it is left out',
    );
}
