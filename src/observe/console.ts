import { Gauge, Histogram, type Registry } from 'prom-client';
import { createTalliedCounter } from './tallied-counter.ts';

export interface ConsoleMetrics {
  /** A request was answered; `operation` is one of the API's, `page` or `other`. */
  answered(operation: string, status: number, seconds: number): void;
  /** Streams of live data that are open. */
  streams(change: 1 | -1): void;
}

const secondsBuckets = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30];

/** Every metric of `console`. */
export function createConsoleMetrics(registry: Registry): ConsoleMetrics {
  const registers = [registry];
  const requests = createTalliedCounter({
    name: 'tributary_console_requests_total',
    help: 'Answered requests to the API and the pages, by operation and status.',
    labelNames: ['operation', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'tributary_console_request_duration_seconds',
    help: 'From the request to the head of its answer, by operation.',
    labelNames: ['operation'],
    buckets: secondsBuckets,
    registers,
  });
  let open = 0;
  new Gauge({
    name: 'tributary_console_streams_under_way',
    help: 'Streams of live data that are open.',
    registers,
    collect() {
      this.set(open);
    },
  });
  return {
    answered: (operation, status, seconds) => {
      requests.inc(operation, String(status));
      duration.observe({ operation }, seconds);
    },
    streams: (change) => {
      open += change;
    },
  };
}
