import { parseTraceparent, type TraceContext } from '../model/trace-context.ts';
import type { Tracer } from '../observe/tracer.ts';
import type { Plan, PlanEntry } from './plan.ts';
import type { Settle, Settled, SettleOptions } from './settle.ts';

/** What a settling goes through so that its messages' spans can be told. */
export interface SettleTrace {
  readonly aroundInsert: NonNullable<SettleOptions['aroundInsert']>;
  readonly traced: (settle: Settle) => Settle;
}

interface Times {
  readonly startedMs: number;
  attempts: number;
  insert?: { readonly startedMs: number; readonly endedMs: number };
}

/**
 * For each message that is followed `worker.settle`, from the first attempt to the COMMIT, under the span that published it;
 * and in it `insert`. A transaction settles many messages: each one's spans tell how many.
 */
export function createSettleTrace(tracer: Tracer): SettleTrace {
  const timesOf = new WeakMap<Plan, Times>();
  return {
    async aroundInsert(plan, insert) {
      const times = timesOf.get(plan);
      if (times === undefined) return insert();
      const startedMs = tracer.now();
      await insert();
      times.insert = { startedMs, endedMs: tracer.now() };
    },
    traced: (settle) => async (plan) => {
      const parents = followed(plan);
      if (parents.size === 0) return settle(plan);
      // The same plan comes again when the transaction failed.
      const times = timesOf.get(plan) ?? { startedMs: tracer.now(), attempts: 0 };
      timesOf.set(plan, times);
      times.attempts += 1;
      const settled = await settle(plan);
      for (const each of settled) {
        const parent = parents.get(each.entry);
        if (parent !== undefined) record(tracer, each, { parent, times, messages: plan.entries.length });
      }
      return settled;
    },
  };
}

function followed({ entries }: Plan): Map<PlanEntry, TraceContext> {
  const parents = new Map<PlanEntry, TraceContext>();
  for (const entry of entries) {
    const context = parseTraceparent(entry.message.traceparent);
    if (context?.sampled === true) parents.set(entry, context);
  }
  return parents;
}

function record(
  tracer: Tracer,
  { entry, outcome, verdict }: Settled,
  {
    parent,
    times,
    messages,
  }: { readonly parent: TraceContext; readonly times: Times; readonly messages: number },
): void {
  const context = tracer.child(parent);
  const { seq, deliveryCount } = entry.message;
  const { decoded } = entry;
  tracer.record({
    name: 'worker.settle',
    kind: 'consumer',
    context,
    parentSpanId: parent.spanId,
    startedMs: times.startedMs,
    endedMs: tracer.now(),
    attributes: {
      'messaging.system': 'nats',
      'messaging.operation.type': 'process',
      'messaging.batch.message_count': messages,
      'tributary.outcome': outcome,
      'tributary.reason': verdict?.outcome === 'quarantine' ? verdict.rejection.reason : undefined,
      'tributary.tenant_id': decoded.tenantId,
      'tributary.device_id': decoded.deviceId,
      'tributary.identity': decoded.identity.identity,
      'tributary.stream_seq': seq,
      'tributary.delivery_count': deliveryCount,
      'tributary.attempts': times.attempts,
    },
  });
  if (times.insert === undefined || (outcome !== 'stored' && outcome !== 'duplicate')) return;
  tracer.record({
    name: 'insert',
    kind: 'client',
    context: tracer.child(context),
    parentSpanId: context.spanId,
    ...times.insert,
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'telemetry',
      'db.operation.batch.size': messages,
    },
  });
}
