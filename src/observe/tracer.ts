import { parseTraceparent, type TraceContext } from '../model/trace-context.ts';

/** As OTLP numbers them. */
export const spanKinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

export interface Span {
  readonly name: string;
  readonly kind: keyof typeof spanKinds;
  readonly context: TraceContext;
  /** Undefined: it began the trace. */
  readonly parentSpanId: string | undefined;
  /** Ms since the epoch, with fractions. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Why it failed; undefined: it did not. */
  readonly failure?: string | undefined;
}

/** The span of a message at its door, from when its source began to read it. */
export interface DoorTrace {
  readonly context: TraceContext;
  readonly parentSpanId: string | undefined;
  readonly startedMs: number;
}

/** Makes spans of messages. Where nothing is traced there is no tracer, and so no cost. */
export interface Tracer {
  /**
   * Begins a message's way: under the context that came with it, or for a share of those that bring none. Undefined: it
   * is not followed.
   */
  begin(traceparent: string | null | undefined): DoorTrace | undefined;
  /** A span of its own under another. */
  child(parent: TraceContext): TraceContext;
  /** Ms since the epoch, with fractions. */
  now(): number;
  /** Drops spans that nobody asked for. */
  record(span: Span): void;
}

export interface TracerOptions {
  /** Of the messages that bring no context, how many are followed: 0 … 1. */
  readonly ratio: number;
  readonly random: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly keep: (span: Span) => void;
}

export function createTracer({ ratio, random, randomBytes, now, wallClock, keep }: TracerOptions): Tracer {
  // Spans of one message must not go backwards when the clock is set, and last less than a millisecond.
  const offsetMs = wallClock() - now();
  const time = () => offsetMs + now();
  const newId = (bytes: number) => Buffer.from(randomBytes(bytes)).toString('hex');
  return {
    begin(traceparent) {
      const parent = parseTraceparent(traceparent);
      if (parent === undefined && (ratio === 0 || random() >= ratio)) return undefined;
      const { traceId, sampled } = parent ?? { traceId: newId(16), sampled: true };
      const context = { traceId, spanId: newId(8), sampled };
      return { context, parentSpanId: parent?.spanId, startedMs: time() };
    },
    child: ({ traceId, sampled }) => ({ traceId, spanId: newId(8), sampled }),
    now: time,
    record(span) {
      if (span.context.sampled) keep(span);
    },
  };
}
