import type { NatsConnection } from '@nats-io/nats-core';
import { encodeEnvelope } from '../model/envelope.ts';
import { canaryTenantId, ingestTopic } from '../model/identifiers.ts';
import { encodeMsgId } from '../model/identity.ts';
import type { CanaryMetrics } from '../observe/canary.ts';
import type { Publisher, PublishFailure } from '../stream/publisher.ts';
import { canaryEchoSubject, telemetrySubject } from '../stream/subjects.ts';

export interface CanaryState {
  /** From the door to the committed row, of the last one that came through; undefined before the first. */
  readonly doorToRowMs: number | undefined;
  /** How long ago the last one came through, in ms; undefined before the first. */
  readonly ageMs: number | undefined;
  /** When it came through, in ms since the epoch. */
  readonly cameAtMs: number | undefined;
  /** Why JetStream did not take the latest one; undefined when it did. */
  readonly refusedWhy: PublishFailure | undefined;
}

export interface Canary {
  current(): CanaryState;
  drain(): Promise<void>;
}

export interface CanaryOptions {
  /** Connected. */
  readonly nc: NatsConnection;
  readonly publisher: Pick<Publisher, 'publish'>;
  /** Of this process: its canaries' device id, and where their echoes go. */
  readonly id: string;
  readonly intervalMs: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly metrics: CanaryMetrics;
}

export const canaryDefaults = {
  /** More are not sent while these are out: while nothing drains, canaries must not fill the stream. */
  maxOut: 3,
  /** An echo may get lost with a connection. After this long it is not waited for any more. */
  giveUpMs: 60_000,
} as const;

/**
 * Sends this process a message every `intervalMs` the way every message goes: through JetStream, a worker, and the
 * settling transaction, whose worker answers on core NATS after COMMIT. It needs room in the stream like any other.
 */
export function startCanary(options: CanaryOptions): Canary {
  const { nc, publisher, id, now, wallClock, metrics } = options;
  const out = new Map<string, number>();
  let last: { doorToRowMs: number; cameAt: number; cameAtMs: number } | undefined;
  let refusedWhy: PublishFailure | undefined;

  const send = async () => {
    const msgId = encodeMsgId({ kind: 'fresh', identity: hex(options.randomBytes(16)), bodyHash: undefined });
    out.set(msgId, now());
    const result = await publisher.publish(
      telemetrySubject(canaryTenantId),
      envelope(id, wallClock()),
      msgId,
    );
    refusedWhy = result.ok ? undefined : result.why;
    if (result.ok) return;
    metrics.failed('refused');
    // One whose outcome is unknown may still come.
    if (result.known) out.delete(msgId);
  };
  const tick = () => {
    for (const [msgId, sentAt] of out) {
      if (now() - sentAt < canaryDefaults.giveUpMs) continue;
      out.delete(msgId);
      metrics.failed('overdue');
    }
    if (out.size < canaryDefaults.maxOut) void send();
  };
  const echoes = nc.subscribe(canaryEchoSubject(id), {
    callback: (error, echo) => {
      const msgId = error === null ? echo.string() : '';
      const sentAt = out.get(msgId);
      if (sentAt === undefined) return;
      out.delete(msgId);
      const doorToRowMs = now() - sentAt;
      last = { doorToRowMs, cameAt: now(), cameAtMs: wallClock() };
      metrics.came(doorToRowMs / 1_000, last.cameAtMs / 1_000);
    },
  });
  tick();
  const timer = setInterval(tick, options.intervalMs);
  return {
    current: () => ({
      doorToRowMs: last?.doorToRowMs,
      ageMs: last === undefined ? undefined : now() - last.cameAt,
      cameAtMs: last?.cameAtMs,
      refusedWhy,
    }),
    drain() {
      clearInterval(timer);
      // What is out is a worker's business; nobody waits for its echo.
      if (!nc.isClosed()) echoes.unsubscribe();
      return Promise.resolve();
    },
  };
}

function envelope(id: string, ts: number): Uint8Array {
  const head = {
    topic: ingestTopic(canaryTenantId, id, 'heartbeat'),
    tenant_id: canaryTenantId,
    device_id: id,
    msg_type: 'heartbeat',
    username: '',
    ts,
  } as const;
  return Buffer.from(encodeEnvelope(head, '{}'));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
