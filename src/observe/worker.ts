import { Counter, Histogram, type Registry } from 'prom-client';

/** What settling reports. */
export interface WorkerMetrics {
  settled(outcome: string, messages: number): void;
  quarantined(reason: string): void;
  /** Quarantined, and not kept: there was no room. */
  evicted(): void;
  retried(): void;
  /** From arrival at the door to the committed row, in ms. */
  stored(ageMs: number): void;
  batch(messages: number, durationMs: number): void;
}

export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const registers = [registry];
  const settled = new Counter({
    name: 'tributary_worker_messages_total',
    help: 'Messages settled, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const quarantined = new Counter({
    name: 'tributary_worker_quarantined_total',
    help: 'Messages quarantined, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const evicted = new Counter({
    name: 'tributary_worker_quarantine_evicted_total',
    help: 'Messages quarantined and counted whose bytes were not kept, for want of room.',
    registers,
  });
  const retries = new Counter({
    name: 'tributary_worker_retries_total',
    help: 'Settling attempts that failed and were made again.',
    registers,
  });
  const age = new Histogram({
    name: 'tributary_worker_door_to_row_seconds',
    help: 'Time from arrival at the door to the committed row.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600],
    registers,
  });
  const batchSize = new Histogram({
    name: 'tributary_worker_batch_messages',
    help: 'Messages settled in one transaction.',
    buckets: [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000],
    registers,
  });
  const duration = new Histogram({
    name: 'tributary_worker_settle_seconds',
    help: 'Duration of the settling transactions that committed.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  return {
    settled: (outcome, messages) => settled.inc({ outcome }, messages),
    quarantined: (reason) => quarantined.inc({ reason }),
    evicted: () => evicted.inc(),
    retried: () => retries.inc(),
    stored: (ageMs) => age.observe(ageMs / 1_000),
    batch: (messages, durationMs) => {
      batchSize.observe(messages);
      duration.observe(durationMs / 1_000);
    },
  };
}
