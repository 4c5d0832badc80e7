import type pg from 'pg';
import type { Logger } from 'pino';
import { sqlstateOf } from './errors.ts';
import { weekOf, weekStartMs } from './weeks.ts';

export interface PartitionsOptions {
  readonly pool: pg.Pool;
  readonly log: Logger;
  /** Milliseconds that never go back, such as `performance.now`. */
  readonly clock: () => number;
  /** New weeks that one tenant's readings may make within a day; those beyond are refused. */
  readonly maxNewWeeksPerTenant?: number;
}

/** What a partition is needed for. `timeUs`: event time in µs since the epoch. */
export interface Placed {
  readonly tenantId: string;
  readonly timeUs: number;
}

export interface Partitions {
  /**
   * Makes the partitions that the readings need and that are missing, each in a transaction of its own. Never to be
   * called with a connection in hand: it takes one of the pool's, and the partition has to be committed before a row
   * can go in.
   * @returns the readings whose week was refused.
   */
  ensure<R extends Placed>(readings: readonly R[]): Promise<Set<R>>;
  /** To be called after a row found no partition although `ensure` knew of one: retention has dropped it. */
  forget(): void;
}

export const partitionsDefaults = {
  /** A year of history goes in at once; stray timestamps over a longer retention do not make thousands. */
  maxNewWeeksPerTenant: 60,
  /** How long the list of known weeks counts, in ms: another process may have dropped one. */
  knownForMs: 10_000,
  /** How long a refusal counts, in ms, before the database is asked again. */
  refusedForMs: 60_000,
} as const;

type Answer = 'exists' | 'made' | 'refused';

/** Keeps in mind which weeks have a partition, so that usually nothing has to be asked. */
export function createPartitions({ pool, log, clock, ...options }: PartitionsOptions): Partitions {
  const cap = options.maxNewWeeksPerTenant ?? partitionsDefaults.maxNewWeeksPerTenant;
  const refusals = createRefusals(clock);
  let known = new Set<number>();
  let knownUntilMs = Number.NEGATIVE_INFINITY;

  async function refreshKnown(): Promise<void> {
    if (clock() < knownUntilMs) return;
    const readAtMs = clock();
    const { rows } = await pool.query<{ week: Date }>('select week from live_telemetry_weeks');
    known = new Set(rows.map(({ week }) => weekOf(week.getTime() * 1000)));
    knownUntilMs = readAtMs + partitionsDefaults.knownForMs;
  }

  async function ask(week: number, tenantId: string): Promise<Answer> {
    try {
      const { rows } = await pool.query<{ answer: Answer }>(
        'select ensure_telemetry_partition($1, $2, $3) as answer',
        [new Date(weekStartMs(week)), tenantId, cap],
      );
      return rows[0]?.answer ?? 'refused';
    } catch (error) {
      if (sqlstateOf(error) !== duplicateTable) throw error;
      log.error({ event: 'partition_detached', week: new Date(weekStartMs(week)) }, detachedWeek);
      return 'refused';
    }
  }

  /** Whether the week has its partition now. Any of the tenants that need it may have it made. */
  async function makeWeek(week: number, tenantIds: ReadonlySet<string>): Promise<boolean> {
    for (const tenantId of tenantIds) {
      if (refusals.holds(tenantId, week)) continue;
      const answer = await ask(week, tenantId);
      if (answer === 'refused') {
        refusals.add(tenantId, week);
        continue;
      }
      if (answer === 'made')
        log.info(
          { event: 'partition_made', week: new Date(weekStartMs(week)), tenantId },
          'made a partition',
        );
      known.add(week);
      return true;
    }
    return false;
  }

  return {
    ensure: async (readings) => {
      await refreshKnown();
      const refused = new Set<(typeof readings)[number]>();
      for (const [week, wanting] of byWeek(readings, known)) {
        if (await makeWeek(week, new Set(wanting.map(({ tenantId }) => tenantId)))) continue;
        for (const reading of wanting) refused.add(reading);
      }
      return refused;
    },
    forget: () => {
      knownUntilMs = Number.NEGATIVE_INFINITY;
    },
  };
}

const duplicateTable = '42P07';
const detachedWeek =
  'a table of this week exists and is no partition of telemetry: attach it, or rename it, or the week takes no readings';

/** Readings of weeks that are not known, by week. */
function byWeek<R extends Placed>(readings: readonly R[], known: ReadonlySet<number>): Map<number, R[]> {
  const weeks = new Map<number, R[]>();
  for (const reading of readings) {
    const week = weekOf(reading.timeUs);
    if (known.has(week)) continue;
    const wanting = weeks.get(week);
    if (wanting === undefined) weeks.set(week, [reading]);
    else wanting.push(reading);
  }
  return weeks;
}

/** A device that sends nonsense goes on doing so: its weeks are not asked for again in every batch. */
function createRefusals(clock: () => number) {
  const untilMs = new Map<string, number>();
  return {
    holds: (tenantId: string, week: number): boolean =>
      clock() < (untilMs.get(`${tenantId}/${week}`) ?? Number.NEGATIVE_INFINITY),
    add: (tenantId: string, week: number): void => {
      for (const [key, until] of untilMs) {
        // The oldest come first.
        if (clock() < until) break;
        untilMs.delete(key);
      }
      untilMs.delete(`${tenantId}/${week}`);
      untilMs.set(`${tenantId}/${week}`, clock() + partitionsDefaults.refusedForMs);
    },
  };
}
