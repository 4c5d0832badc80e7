/** Where a span stands, as W3C Trace Context carries it from process to process. */
export interface TraceContext {
  /** 32 lower-case hex digits, not all 0. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all 0: the span that whatever comes next is a child of. */
  readonly spanId: string;
  /** Whether the one who began the trace wants its spans. */
  readonly sampled: boolean;
}

/** Of W3C Trace Context, in HTTP and in NATS. */
export const traceparentHeader = 'traceparent';

/** Version 00 is exactly this long; a later one may go on after another dash. */
const firstVersionLength = 55;
const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/**
 * Strict, as the specification (section 3.2) asks: who sends anything else sends no context. What a later version adds
 * is left out.
 */
export function parseTraceparent(text: string | null | undefined): TraceContext | undefined {
  if (typeof text !== 'string' || text.length < firstVersionLength) return undefined;
  const [, version, traceId = '', spanId = '', flags = ''] = pattern.exec(text) ?? [];
  if (version === undefined || version === 'ff') return undefined;
  if (version === '00' && text.length !== firstVersionLength) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
