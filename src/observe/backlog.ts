import { Gauge, type Registry } from 'prom-client';

export interface BacklogReading {
  readonly streamMessages: number;
  readonly streamBytes: number;
  readonly pending: number;
  readonly ackPending: number;
  readonly drainedPerSecond: number;
}

/** Gauges of the backlog; `read` gives the latest sample, and without one nothing is reported. */
export function registerBacklogMetrics(registry: Registry, read: () => BacklogReading | undefined): void {
  const gauge = (name: string, help: string, value: (reading: BacklogReading) => number) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const reading = read();
        if (reading === undefined) this.reset();
        else this.set(value(reading));
      },
    });
  };
  gauge('tributary_stream_messages', 'Messages in TELEMETRY.', (reading) => reading.streamMessages);
  gauge('tributary_stream_bytes', 'Bytes in TELEMETRY.', (reading) => reading.streamBytes);
  gauge(
    'tributary_stream_pending_messages',
    'Messages not delivered to a worker yet.',
    ({ pending }) => pending,
  );
  gauge(
    'tributary_stream_ack_pending_messages',
    'Messages delivered to a worker and not acknowledged yet.',
    (reading) => reading.ackPending,
  );
  gauge(
    'tributary_stream_drained_messages_per_second',
    'Rate at which messages leave TELEMETRY, smoothed.',
    (reading) => reading.drainedPerSecond,
  );
}
