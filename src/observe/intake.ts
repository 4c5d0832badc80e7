import type { Registry } from 'prom-client';
import { createTalliedCounter } from './tallied-counter.ts';

/** What the intake reports. */
export interface IntakeMetrics {
  /** One message was answered: `accepted`, `duplicate`, or the code of the refusal. */
  answered(source: 'http' | 'batch' | 'mqtt' | 'mqtt-bridge', outcome: string): void;
}

/** Messages by source, and of each source by outcome, since the process began. */
export type IntakeTotals = Readonly<Record<string, Readonly<Record<string, number>>>>;

export function createIntakeMetrics(registry: Registry): IntakeMetrics & { totals(): IntakeTotals } {
  const messages = createTalliedCounter({
    name: 'tributary_intake_messages_total',
    help: 'Messages by source and outcome: accepted, duplicate, or the code of the refusal.',
    labelNames: ['source', 'outcome'],
    registers: [registry],
  });
  return {
    answered: (source, outcome) => messages.inc(source, outcome),
    totals() {
      const totals: Record<string, Record<string, number>> = {};
      for (const { labels, total } of messages.totals()) {
        const [source = '', outcome = ''] = labels;
        totals[source] = { ...totals[source], [outcome]: total };
      }
      return totals;
    },
  };
}
