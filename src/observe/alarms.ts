import { Counter, type Registry } from 'prom-client';

/** What a worker reports of JetStream's advisories. */
export interface AlarmMetrics {
  /** JetStream gave up delivering a message. */
  maxDeliveries(stream: string): void;
}

/** @param streams that are told of from the start: the first message given up is an increase, too */
export function createAlarmMetrics(registry: Registry, streams: readonly string[]): AlarmMetrics {
  const counter = new Counter({
    name: 'tributary_max_deliveries_total',
    help: 'Messages that JetStream gave up delivering, by stream; each is an alarm, told to one worker.',
    labelNames: ['stream'],
    registers: [registry],
  });
  for (const stream of streams) counter.inc({ stream }, 0);
  return { maxDeliveries: (stream) => counter.inc({ stream }) };
}
