import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createTalliedCounter } from './tallied-counter.ts';

/** The gateway's routes as the metrics name them; `other` is what no route matched. */
export type HttpRoute = 'single' | 'batch' | 'receipt' | 'rate_limits' | 'other';

export interface HttpMetrics {
  /** A request was answered, `seconds` after its headers were there. */
  answered(route: HttpRoute, status: number, seconds: number): void;
  /** A batch was answered item by item. */
  batchItems(accepted: number, rejected: number): void;
  /** What is being answered right now. */
  inFlight(change: 1 | -1): void;
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30];

/** Every metric of `sources/http`. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry];
  const requests = createTalliedCounter({
    name: 'tributary_http_requests_total',
    help: 'Answered HTTP requests, by route and status.',
    labelNames: ['route', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'tributary_http_request_duration_seconds',
    help: 'From the request’s headers to its answer, by route.',
    labelNames: ['route'],
    buckets: secondsBuckets,
    registers,
  });
  const items = new Counter({
    name: 'tributary_http_batch_items_total',
    help: 'Items of answered batches, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  let open = 0;
  new Gauge({
    name: 'tributary_http_requests_in_flight',
    help: 'HTTP requests that are being answered.',
    registers,
    collect() {
      this.set(open);
    },
  });
  return {
    answered: (route, status, seconds) => {
      requests.inc(route, String(status));
      duration.observe({ route }, seconds);
    },
    batchItems: (accepted, rejected) => {
      if (accepted > 0) items.inc({ outcome: 'accepted' }, accepted);
      if (rejected > 0) items.inc({ outcome: 'rejected' }, rejected);
    },
    inFlight: (change) => {
      open += change;
    },
  };
}
