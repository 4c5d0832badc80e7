import { Counter, Gauge, type Registry } from 'prom-client';

/** What the puller reports. */
export interface PullerMetrics {
  received(redelivered: boolean): void;
  /** The stream of deliveries was cut: reconnect, silence, or the status that JetStream gave. */
  interrupted(reason: string): void;
  /** Sets what is read at each scrape. */
  watch(readBuffered: () => number): void;
}

export function createPullerMetrics(registry: Registry): PullerMetrics {
  const registers = [registry];
  const received = new Counter({
    name: 'tributary_puller_messages_total',
    help: 'Messages received from JetStream, redeliveries included.',
    registers,
  });
  const redelivered = new Counter({
    name: 'tributary_puller_redelivered_total',
    help: 'Messages that JetStream delivered again.',
    registers,
  });
  const interruptions = new Counter({
    name: 'tributary_puller_interruptions_total',
    help: 'How often the stream of deliveries was cut, by reason.',
    labelNames: ['reason'],
    registers,
  });
  let readBuffered = () => 0;
  new Gauge({
    name: 'tributary_puller_buffered_messages',
    help: 'Messages received and not taken yet.',
    registers,
    collect() {
      this.set(readBuffered());
    },
  });
  return {
    received(again) {
      received.inc();
      if (again) redelivered.inc();
    },
    interrupted: (reason) => interruptions.inc({ reason }),
    watch(reader) {
      readBuffered = reader;
    },
  };
}
