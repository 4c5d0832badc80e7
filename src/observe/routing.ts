import { Counter, Gauge, type Registry } from 'prom-client';

/** What the routing of a worker reports: matching, and the relay to ROUTES. */
export interface RoutingMetrics {
  /** A transaction with jobs committed. */
  routed(counts: { readonly jobs: number; readonly refused: number; readonly conditionErrors: number }): void;
  /** A publish to ROUTES has its outcome: `stored`, `duplicate`, or why not. */
  published(outcome: string): void;
  /** Groups that the sweep took: left behind by a crash, or by a relay that could not take more. */
  swept(groups: number): void;
  /** Sets what is read at each scrape. */
  watch(read: () => { readonly inHand: number; readonly owed: number }): void;
}

export function createRoutingMetrics(registry: Registry): RoutingMetrics {
  const registers = [registry];
  const jobs = new Counter({
    name: 'tributary_routing_jobs_total',
    help: 'Jobs for routes by what became of them when they were matched: owed to ROUTES, or refused.',
    labelNames: ['outcome'],
    registers,
  });
  const errors = new Counter({
    name: 'tributary_routing_condition_errors_total',
    help: 'Conditions of routes that could not be evaluated for a message.',
    registers,
  });
  const published = new Counter({
    name: 'tributary_routing_publishes_total',
    help: 'Publishes to ROUTES by outcome: stored, duplicate, or why not.',
    labelNames: ['outcome'],
    registers,
  });
  const swept = new Counter({
    name: 'tributary_routing_swept_groups_total',
    help: 'Rows of the outbox that were published by the sweep and not right after their COMMIT.',
    registers,
  });
  let read = () => ({ inHand: 0, owed: 0 });
  new Gauge({
    name: 'tributary_routing_in_hand_jobs',
    help: 'Jobs that this worker is publishing, or about to.',
    registers,
    collect() {
      this.set(read().inHand);
    },
  });
  new Gauge({
    name: 'tributary_routing_owed_jobs',
    help: 'Jobs in the outbox, of all workers, as of the latest sweep.',
    registers,
    collect() {
      this.set(read().owed);
    },
  });
  const owed = jobs.labels({ outcome: 'owed' });
  const refused = jobs.labels({ outcome: 'refused' });
  return {
    routed: (counts) => {
      owed.inc(counts.jobs);
      refused.inc(counts.refused);
      errors.inc(counts.conditionErrors);
    },
    published: (outcome) => published.inc({ outcome }),
    swept: (groups) => swept.inc(groups),
    watch: (next) => {
      read = next;
    },
  };
}
