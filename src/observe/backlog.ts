import { Gauge, type Registry } from 'prom-client';

export interface BacklogReading {
  readonly streamMessages: number;
  readonly streamBytes: number;
  /** -1: no limit. */
  readonly streamMaxBytes: number;
  readonly pending: number;
  readonly ackPending: number;
  readonly drainedPerSecond: number;
  /** When the oldest message was accepted, in ms since the epoch; undefined: there is none. */
  readonly oldestAtMs?: number | undefined;
}

/**
 * Gauges of a stream's backlog; `read` gives the latest sample, and without one nothing is reported.
 * @param nowMs since the epoch
 */
export function registerBacklogMetrics(
  registry: Registry,
  stream: string,
  read: () => BacklogReading | undefined,
  nowMs: () => number,
): void {
  const gauge = (name: string, help: string, value: (reading: BacklogReading) => number | undefined) => {
    new Gauge({
      name,
      help,
      labelNames: ['stream'],
      registers: [registry],
      collect() {
        const reading = read();
        const current = reading === undefined ? undefined : value(reading);
        if (current === undefined) this.reset();
        else this.set({ stream }, current);
      },
    });
  };
  gauge('tributary_stream_messages', 'Messages in the stream.', (reading) => reading.streamMessages);
  gauge('tributary_stream_bytes', 'Bytes in the stream.', (reading) => reading.streamBytes);
  gauge(
    'tributary_stream_limit_bytes',
    'Bytes that the stream may hold: then it refuses. Absent without a limit.',
    ({ streamMaxBytes }) => (streamMaxBytes < 0 ? undefined : streamMaxBytes),
  );
  gauge(
    'tributary_stream_pending_messages',
    'Messages of the stream that were not delivered yet.',
    ({ pending }) => pending,
  );
  gauge(
    'tributary_stream_ack_pending_messages',
    'Messages of the stream that were delivered and not acknowledged yet.',
    (reading) => reading.ackPending,
  );
  gauge(
    'tributary_stream_oldest_message_age_seconds',
    'How long ago the oldest message of the stream was accepted; 0 for an empty stream.',
    ({ oldestAtMs }) => (oldestAtMs === undefined ? 0 : Math.max(0, nowMs() - oldestAtMs) / 1_000),
  );
  gauge(
    'tributary_stream_drained_messages_per_second',
    'Rate at which messages leave the stream, smoothed.',
    (reading) => reading.drainedPerSecond,
  );
}
