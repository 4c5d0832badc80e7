import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { deadLetterReasons } from '../model/dead-letter.ts';

export type AttemptResult = 'delivered' | 'retry' | 'dead' | 'gone';

/** What delivery reports. */
export interface DeliveryMetrics {
  /** @param kind of destination is not told apart: routes are the tenants' own */
  attempted(result: AttemptResult, durationMs: number): void;
  /** From the message's arrival to its first delivery, of jobs that needed one attempt. */
  delivered(ageMs: number): void;
  deadLettered(reason: string, jobs: number): void;
  /** A message on ROUTES that is no job. */
  unreadable(): void;
  /** Sets what is read at each scrape. */
  watch(
    read: () => { readonly attempting: number; readonly queued: number; readonly openBreakers: number },
  ): void;
}

export function createDeliveryMetrics(registry: Registry): DeliveryMetrics {
  const registers = [registry];
  const attempts = new Histogram({
    name: 'tributary_delivery_attempt_seconds',
    help: 'Attempts at destinations, by what came of them, and how long they took.',
    labelNames: ['result'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30],
    registers,
  });
  const age = new Histogram({
    name: 'tributary_delivery_door_to_destination_seconds',
    help: 'Time from a message’s arrival at the door to its delivery, of those that the first attempt delivered.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers,
  });
  const dead = new Counter({
    name: 'tributary_delivery_dead_letters_total',
    help: 'Jobs that became dead letters, by reason.',
    labelNames: ['reason'],
    registers,
  });
  // From the start, or the first of each would be no increase.
  for (const reason of deadLetterReasons) dead.inc({ reason }, 0);
  const unreadable = new Counter({
    name: 'tributary_delivery_unreadable_total',
    help: 'Messages on ROUTES that are no jobs: somebody else publishes there.',
    registers,
  });
  let read = () => ({ attempting: 0, queued: 0, openBreakers: 0 });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('tributary_delivery_attempts_under_way', 'Attempts under way.', () => read().attempting);
  gauge('tributary_delivery_queued_jobs', 'Jobs that wait in memory for their turn.', () => read().queued);
  gauge(
    'tributary_delivery_open_breakers',
    'Destinations that are left alone for now.',
    () => read().openBreakers,
  );
  return {
    attempted: (result, durationMs) => attempts.observe({ result }, durationMs / 1_000),
    delivered: (ageMs) => age.observe(Math.max(0, ageMs) / 1_000),
    deadLettered: (reason, jobs) => dead.inc({ reason }, jobs),
    unreadable: () => unreadable.inc(),
    watch: (reader) => {
      read = reader;
    },
  };
}
