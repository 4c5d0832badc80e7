import { Counter, Gauge, type Registry } from 'prom-client';

/** What becomes of the spans of a process. All stay 0 where tracing is off. */
export interface TracingMetrics {
  exported(spans: number): void;
  /** `full`: the collector does not keep up or is away; `refused`: it does not take them. */
  dropped(why: 'full' | 'refused', spans: number): void;
  /** Sets what is read at each scrape. */
  watch(readWaiting: () => number): void;
}

export function createTracingMetrics(registry: Registry): TracingMetrics {
  const registers = [registry];
  const exported = new Counter({
    name: 'tributary_tracing_exported_spans_total',
    help: 'Spans that the collector took.',
    registers,
  });
  const dropped = new Counter({
    name: 'tributary_tracing_dropped_spans_total',
    help: 'Spans that were dropped: full (the collector is away or slow), refused (it does not take them).',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of ['full', 'refused']) dropped.inc({ reason }, 0);
  let readWaiting = () => 0;
  new Gauge({
    name: 'tributary_tracing_waiting_spans',
    help: 'Spans that wait to be sent to the collector.',
    registers,
    collect() {
      this.set(readWaiting());
    },
  });
  return {
    exported: (spans) => exported.inc(spans),
    dropped: (reason, spans) => dropped.inc({ reason }, spans),
    watch: (reader) => {
      readWaiting = reader;
    },
  };
}
