import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createTalliedCounter } from './tallied-counter.ts';

/** What the acked publisher reports. */
export interface PublisherMetrics {
  /** One publish has its outcome: `stored`, `duplicate`, or why not. */
  settled(outcome: string, seconds: number): void;
  /** Publishes sent again, after a reconnect or because JetStream was not there yet. */
  resent(count: number): void;
  /** Sets what is read at each scrape. */
  watch(read: () => { readonly inFlight: number; readonly inFlightBytes: number }): void;
}

export function createPublisherMetrics(registry: Registry): PublisherMetrics {
  const registers = [registry];
  const publishes = createTalliedCounter({
    name: 'tributary_publisher_publishes_total',
    help: 'Publishes by outcome: stored, duplicate, or why not.',
    labelNames: ['outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'tributary_publisher_ack_seconds',
    help: 'Time from handing a message to the publisher until JetStream acknowledged it.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const resends = new Counter({
    name: 'tributary_publisher_resends_total',
    help: 'Publishes sent again, after a reconnect or because JetStream was not there yet.',
    registers,
  });
  let read: Parameters<PublisherMetrics['watch']>[0] = () => ({ inFlight: 0, inFlightBytes: 0 });
  new Gauge({
    name: 'tributary_publisher_in_flight_messages',
    help: 'Messages that wait for their PubAck.',
    registers,
    collect() {
      this.set(read().inFlight);
    },
  });
  new Gauge({
    name: 'tributary_publisher_in_flight_bytes',
    help: 'Bytes of the messages that wait for their PubAck.',
    registers,
    collect() {
      this.set(read().inFlightBytes);
    },
  });
  return {
    settled(outcome, elapsedSeconds) {
      publishes.inc(outcome);
      if (outcome === 'stored' || outcome === 'duplicate') seconds.observe(elapsedSeconds);
    },
    resent: (count) => resends.inc(count),
    watch(reader) {
      read = reader;
    },
  };
}
