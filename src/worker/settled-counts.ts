import type { WorkerMetrics } from '../observe/worker.ts';
import type { Outcome } from './plan.ts';
import type { Settled } from './settle.ts';

/** What this worker has settled since it started, for its status. */
export interface SettledCounts {
  add(settled: readonly Settled[]): void;
  snapshot(): Readonly<Record<Outcome, number>>;
}

export function createSettledCounts(metrics: WorkerMetrics, nowMs: () => number): SettledCounts {
  const totals: Record<Outcome, number> = {
    stored: 0,
    duplicate: 0,
    quarantined: 0,
    internal: 0,
    'claimed before': 0,
  };
  return {
    add(settled) {
      const now = nowMs();
      const counts = new Map<Outcome, number>();
      for (const { outcome, verdict, entry } of settled) {
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (verdict?.outcome === 'quarantine') metrics.quarantined(verdict.rejection.reason);
        if (verdict?.outcome === 'quarantine' && entry.kept === false) metrics.evicted();
        if (outcome === 'stored') metrics.stored(Math.max(0, now - entry.decoded.arrivedAtMs));
      }
      for (const [outcome, count] of counts) {
        totals[outcome] += count;
        metrics.settled(outcome, count);
      }
    },
    snapshot: () => ({ ...totals }),
  };
}
