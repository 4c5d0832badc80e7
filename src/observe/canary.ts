import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What a gateway reports of its canaries. */
export interface CanaryMetrics {
  /** `refused` by JetStream, or `overdue`: sent and given up. */
  failed(how: 'refused' | 'overdue'): void;
  /** One came back: committed `seconds` after it was sent. */
  came(seconds: number, atEpochSeconds: number): void;
}

export function createCanaryMetrics(registry: Registry): CanaryMetrics {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'tributary_canary_seconds',
    help: 'From sending a canary at the gateway until a worker said that it is committed.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const lastSuccess = new Gauge({
    name: 'tributary_canary_last_success_timestamp_seconds',
    help: 'When the last canary came through, in seconds since the epoch; 0: none yet.',
    registers,
  });
  const failures = new Counter({
    name: 'tributary_canary_failures_total',
    help: 'Canaries that JetStream refused, or that were given up.',
    labelNames: ['how'],
    registers,
  });
  return {
    failed: (how) => failures.inc({ how }),
    came(elapsedSeconds, atEpochSeconds) {
      seconds.observe(elapsedSeconds);
      lastSuccess.set(atEpochSeconds);
    },
  };
}
