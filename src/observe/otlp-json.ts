import { type Span, spanKinds } from './tracer.ts';

/** Who the spans are from. */
export interface OtlpResource {
  readonly service: string;
  readonly version: string;
  /** Unique among the running processes. */
  readonly instance: string;
  readonly host: string;
}

const failed = 2;

/** Spans as OTLP's JSON has them: `ExportTraceServiceRequest` of opentelemetry-proto 1.x. */
export function otlpJson(resource: OtlpResource, spans: readonly Span[]): string {
  const attributes = {
    'service.name': resource.service,
    'service.namespace': 'tributary',
    'service.version': resource.version,
    'service.instance.id': resource.instance,
    'host.name': resource.host,
  };
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: keyValues(attributes) },
        scopeSpans: [{ scope: { name: 'tributary', version: resource.version }, spans: spans.map(spanJson) }],
      },
    ],
  });
}

function spanJson({ name, kind, context, parentSpanId, startedMs, endedMs, attributes, failure }: Span) {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    flags: context.sampled ? 1 : 0,
    name,
    kind: spanKinds[kind],
    startTimeUnixNano: nanoseconds(startedMs),
    endTimeUnixNano: nanoseconds(Math.max(startedMs, endedMs)),
    attributes: keyValues(attributes),
    status: failure === undefined ? {} : { code: failed, message: failure },
  };
}

/** A text, since a double does not hold so many digits. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}

function keyValues(attributes: Span['attributes']) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: string | number | boolean) {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
