import { Counter, type Registry } from 'prom-client';

/** What a worker reports of JetStream's advisories. */
export interface AlarmMetrics {
  /** JetStream gave up delivering a message. */
  maxDeliveries(stream: string): void;
}

export function createAlarmMetrics(registry: Registry): AlarmMetrics {
  const counter = new Counter({
    name: 'tributary_max_deliveries_total',
    help: 'Messages that JetStream gave up delivering, by stream; each is an alarm, told to one worker.',
    labelNames: ['stream'],
    registers: [registry],
  });
  return { maxDeliveries: (stream) => counter.inc({ stream }) };
}
