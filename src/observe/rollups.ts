import { Counter, Gauge, type Registry } from 'prom-client';

/** `window`: full 5 minutes; `owed`: those whose rows have changed since; `connection`: to the database, lost. */
const rollupWork = ['window', 'owed', 'connection'] as const;
export type RollupWork = (typeof rollupWork)[number];

/** What the process that rolls up reports; of all others nothing is known. */
export interface RollupMetrics {
  /** @param behindSeconds event time that could be rolled up and is not; 0: up to date, at `atEpochSeconds` */
  advanced(behindSeconds: number, atEpochSeconds: number): void;
  failed(work: RollupWork): void;
  /** This process rolls up no more: another one knows how far it is. */
  ended(): void;
}

export function createRollupMetrics(registry: Registry): RollupMetrics {
  const registers = [registry];
  const behind = new Gauge({
    name: 'tributary_rollup_behind_seconds',
    help: 'Event time that could be rolled up and is not. NaN: another process rolls up.',
    registers,
  });
  const last = new Gauge({
    name: 'tributary_rollup_up_to_date_timestamp_seconds',
    help: 'When roll-ups were last up to date; 0: not by this process.',
    registers,
  });
  const failures = new Counter({
    name: 'tributary_rollup_failures_total',
    help: 'Attempts to roll up that failed and are repeated, by what was to be done.',
    labelNames: ['work'],
    registers,
  });
  for (const work of rollupWork) failures.inc({ work }, 0);
  behind.set(Number.NaN);
  return {
    advanced(behindSeconds, atEpochSeconds) {
      behind.set(behindSeconds);
      if (behindSeconds === 0) last.set(atEpochSeconds);
    },
    failed: (work) => failures.inc({ work }),
    ended: () => behind.set(Number.NaN),
  };
}
