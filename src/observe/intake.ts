import type { Registry } from 'prom-client';
import { createRecentMap, type RecentMap } from '../lib/recent-map.ts';
import { createTalliedCounter } from './tallied-counter.ts';

/** What the intake reports. */
export interface IntakeMetrics {
  /** One message was answered: `accepted`, `duplicate`, or the code of the refusal. */
  answered(source: 'http' | 'batch' | 'mqtt' | 'mqtt-bridge', outcome: string, tenantId: string): void;
}

/** Messages by source, and of each source by outcome, since the process began. */
export type IntakeTotals = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Of one tenant, by source and outcome. */
export type TenantIntake = Record<string, Record<string, number>>;

export interface IntakeCounts {
  totals(): IntakeTotals;
  /** No metrics: a tenant is no label. A status tells them when it is asked. */
  readonly tenants: Pick<RecentMap<string, TenantIntake>, 'find' | 'entries'>;
}

/** Other outcomes are not counted by tenant: whoever is refused may have made up its name. */
const countedByTenant: ReadonlySet<string> = new Set(['accepted', 'duplicate', 'unavailable']);
const keptTenants = 2_000;

export function createIntakeMetrics(registry: Registry): IntakeMetrics & IntakeCounts {
  const messages = createTalliedCounter({
    name: 'tributary_intake_messages_total',
    help: 'Messages by source and outcome: accepted, duplicate, or the code of the refusal.',
    labelNames: ['source', 'outcome'],
    registers: [registry],
  });
  const tenants = createRecentMap<string, TenantIntake>(() => ({}), keptTenants);
  return {
    answered(source, outcome, tenantId) {
      messages.inc(source, outcome);
      if (!countedByTenant.has(outcome)) return;
      const counts = tenants.use(tenantId);
      counts[source] ??= {};
      counts[source][outcome] = (counts[source][outcome] ?? 0) + 1;
    },
    totals() {
      const totals: Record<string, Record<string, number>> = {};
      for (const { labels, total } of messages.totals()) {
        const [source = '', outcome = ''] = labels;
        totals[source] = { ...totals[source], [outcome]: total };
      }
      return totals;
    },
    tenants,
  };
}
