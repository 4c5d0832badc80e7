import { createHistogram, type Histogram, type HistogramCounts } from '../lib/histogram.ts';
import { createRecentMap } from '../lib/recent-map.ts';
import type { WorkerMetrics } from '../observe/worker.ts';
import type { Outcome } from './plan.ts';
import type { Settled } from './settle.ts';

/** What this worker has settled since it started, for its status. */
export interface SettledCounts {
  add(settled: readonly Settled[]): void;
  snapshot(): Readonly<Record<Outcome, number>>;
  /** From the arrival at the door to the committed row, in ms, of what was stored. */
  doorToRowMs(): HistogramCounts;
  /** The same of each tenant that was heard of lately. */
  readonly byTenant: {
    readonly kind: 'settled';
    of(tenantId: string): TenantSettled | undefined;
    /** Messages with an outcome. */
    totals(): readonly (readonly [string, number])[];
  };
}

type TenantOutcome = 'stored' | 'duplicate' | 'quarantined';

export interface TenantSettled {
  readonly settled: Readonly<Record<TenantOutcome, number>>;
  readonly doorToRowHistogramMs: HistogramCounts;
}

interface TenantCounts {
  readonly settled: Record<TenantOutcome, number>;
  readonly ages: Histogram;
}

const keptTenants = 2_000;

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
  const tenants = createRecentMap<string, TenantCounts>(
    () => ({ settled: { stored: 0, duplicate: 0, quarantined: 0 }, ages: createHistogram(ageBounds) }),
    keptTenants,
  );
  const addToTenant = ({ outcome, entry }: Settled): TenantCounts | undefined => {
    const { tenantId } = entry.decoded;
    if (tenantId === undefined || !isTenantOutcome(outcome)) return undefined;
    const counts = tenants.use(tenantId);
    counts.settled[outcome] += 1;
    return counts;
  };
  return {
    add(settled) {
      const now = nowMs();
      const counts = new Map<Outcome, number>();
      for (const each of settled) {
        const { outcome, verdict, entry } = each;
        const ofTenant = addToTenant(each);
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        if (verdict?.outcome === 'quarantine') metrics.quarantined(verdict.rejection.reason);
        if (verdict?.outcome === 'quarantine' && entry.kept === false) metrics.evicted();
        if (outcome !== 'stored') continue;
        const ageMs = Math.max(0, now - entry.decoded.arrivedAtMs);
        metrics.stored(ageMs);
        ages.add(ageMs);
        ofTenant?.ages.add(ageMs);
      }
      for (const [outcome, count] of counts) {
        totals[outcome] += count;
        metrics.settled(outcome, count);
      }
    },
    snapshot: () => ({ ...totals }),
    doorToRowMs: ages.counts,
    byTenant: {
      kind: 'settled',
      of: (tenantId) => {
        const counts = tenants.find(tenantId);
        if (counts === undefined) return undefined;
        return { settled: { ...counts.settled }, doorToRowHistogramMs: counts.ages.counts() };
      },
      totals: () =>
        tenants
          .entries()
          .map(([tenantId, { settled }]) => [
            tenantId,
            settled.stored + settled.duplicate + settled.quarantined,
          ]),
    },
  };
}

/** Canaries are nobody's, and what was claimed before has its outcome already. */
function isTenantOutcome(outcome: Outcome): outcome is TenantOutcome {
  return outcome === 'stored' || outcome === 'duplicate' || outcome === 'quarantined';
}
