import { formatTraceparent, type TraceContext } from '../model/trace-context.ts';
import type { Tracer } from '../observe/tracer.ts';
import { telemetrySubject } from '../stream/subjects.ts';
import type { IncomingMessage, IntakeResult } from './intake-contract.ts';
import { shown } from './tell-outcome.ts';

/** The span of a publish that is about to begin. */
export interface Publishing {
  readonly context: TraceContext;
  readonly startedMs: number;
  /** What the message carries on to the worker. */
  readonly traceparent: string;
}

/** Undefined for a message that is not followed: nearly all. */
export function beginPublish(
  { trace: door }: IncomingMessage,
  tracer: Tracer | undefined,
): Publishing | undefined {
  if (door === undefined || tracer === undefined) return undefined;
  const context = tracer.child(door.context);
  return { context, startedMs: tracer.now(), traceparent: formatTraceparent(context) };
}

/** `door.accept`, from the source's first look until the answer is known, and in it `publish`. */
export function recordAtDoor(
  tracer: Tracer | undefined,
  { source, tenantId, deviceId, token, msgType, trace: door }: IncomingMessage,
  publishing: Publishing | undefined,
  result: IntakeResult,
): void {
  if (tracer === undefined || door === undefined) return;
  const endedMs = tracer.now();
  const failure = result.ok ? undefined : (result.detail ?? result.refusal);
  if (publishing !== undefined)
    tracer.record({
      name: 'publish',
      kind: 'producer',
      context: publishing.context,
      parentSpanId: door.context.spanId,
      startedMs: publishing.startedMs,
      endedMs,
      failure,
      attributes: {
        'messaging.system': 'nats',
        'messaging.operation.type': 'send',
        'messaging.destination.name': telemetrySubject(tenantId),
        'tributary.stream_seq': result.ok ? result.seq : undefined,
      },
    });
  tracer.record({
    name: 'door.accept',
    kind: 'server',
    context: door.context,
    parentSpanId: door.parentSpanId,
    startedMs: door.startedMs,
    endedMs,
    failure,
    attributes: {
      'tributary.source': source,
      'tributary.tenant_id': tenantId,
      'tributary.device_id': shown(deviceId, token),
      'tributary.msg_type': msgType,
      'tributary.outcome': result.ok ? (result.duplicate ? 'duplicate' : 'accepted') : result.refusal,
      'tributary.identity': result.ok ? result.identified.identity : undefined,
    },
  });
}
