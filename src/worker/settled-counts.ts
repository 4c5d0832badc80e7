import { createHistogram, type HistogramCounts } from '../lib/histogram.ts';
import type { WorkerMetrics } from '../observe/worker.ts';
import type { Outcome } from './plan.ts';
import type { Settled } from './settle.ts';

/** What this worker has settled since it started, for its status. */
export interface SettledCounts {
  add(settled: readonly Settled[]): void;
  snapshot(): Readonly<Record<Outcome, number>>;
  /** From the arrival at the door to the committed row, in ms, of what was stored. */
  doorToRowMs(): HistogramCounts;
}

/** Of the ages that a status tells, in ms: fine enough for a live view, and one line long. */
const ageBounds = [
  5, 10, 20, 30, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
];

export function createSettledCounts(metrics: WorkerMetrics, nowMs: () => number): SettledCounts {
  const totals: Record<Outcome, number> = {
    stored: 0,
    duplicate: 0,
    quarantined: 0,
    internal: 0,
    'claimed before': 0,
  };
  const ages = createHistogram(ageBounds);
  return {
    add(settled) {
      const now = nowMs();
      const counts = new Map<Outcome, number>();
      for (const { outcome, verdict, entry } of settled) {
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (verdict?.outcome === 'quarantine') metrics.quarantined(verdict.rejection.reason);
        if (verdict?.outcome === 'quarantine' && entry.kept === false) metrics.evicted();
        if (outcome !== 'stored') continue;
        const ageMs = Math.max(0, now - entry.decoded.arrivedAtMs);
        metrics.stored(ageMs);
        ages.add(ageMs);
      }
      for (const [outcome, count] of counts) {
        totals[outcome] += count;
        metrics.settled(outcome, count);
      }
    },
    snapshot: () => ({ ...totals }),
    doorToRowMs: ages.counts,
  };
}
