import type { Registry } from 'prom-client';
import { createTalliedCounter } from './tallied-counter.ts';

/** What the intake reports. */
export interface IntakeMetrics {
  /** One message was answered: `accepted`, `duplicate`, or the code of the refusal. */
  answered(source: 'http' | 'batch' | 'mqtt' | 'mqtt-bridge', outcome: string): void;
}

export function createIntakeMetrics(registry: Registry): IntakeMetrics {
  const messages = createTalliedCounter({
    name: 'tributary_intake_messages_total',
    help: 'Messages by source and outcome: accepted, duplicate, or the code of the refusal.',
    labelNames: ['source', 'outcome'],
    registers: [registry],
  });
  return { answered: (source, outcome) => messages.inc(source, outcome) };
}
