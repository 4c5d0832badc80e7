import type { Logger } from 'pino';
import { encodeEnvelope } from '../model/envelope.ts';
import { ingestTopic } from '../model/identifiers.ts';
import { encodeMsgId, type IdentifiedMessage, identify } from '../model/identity.ts';
import type { IntakeMetrics } from '../observe/intake.ts';
import { createMessageLog } from '../observe/message-log.ts';
import type { Tracer } from '../observe/tracer.ts';
import type { BacklogMonitor } from '../stream/backlog.ts';
import type { Publisher, PublishResult } from '../stream/publisher.ts';
import { retryAfterSeconds } from '../stream/retry-after.ts';
import { telemetrySubject } from '../stream/subjects.ts';
import type { Admission } from './admission.ts';
import type { IncomingMessage, Intake, IntakeResult } from './intake-contract.ts';
import { tellOutcome } from './tell-outcome.ts';
import { beginPublish, type Publishing, recordAtDoor } from './trace-message.ts';

export type {
  AcceptedMessage,
  FirstTry,
  IncomingMessage,
  Intake,
  IntakeResult,
  IntakeSource,
} from './intake-contract.ts';

export interface IntakeOptions {
  readonly publisher: Pick<Publisher, 'publish' | 'disconnectedForMs'>;
  readonly admission: Admission;
  /** For `Retry-After`. */
  readonly backlog: Pick<BacklogMonitor, 'current'>;
  /** ms since the epoch. */
  readonly clock: () => number;
  /** 0 ≤ x < 1, for jitter. */
  readonly random: () => number;
  /** As node:crypto's randomBytes, for identities. */
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  readonly metrics?: IntakeMetrics;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

export function createIntake(options: IntakeOptions): Intake {
  const messageLog = createMessageLog(options.log, options.now ?? (() => performance.now()));
  return {
    // One function to wait in: each more costs every message two promises.
    async accept(message) {
      let result: IntakeResult;
      let publishing: Publishing | undefined;
      let identified: IdentifiedMessage | undefined;
      try {
        const turned = options.admission.admit(message);
        if (turned === undefined) {
          publishing = beginPublish(message, options.tracer);
          identified = identifyAtDoor(options, message);
          const arrivedAtMs = message.firstTry?.arrivedAtMs ?? options.clock();
          const msgId = encodeMsgId(identified);
          const traceparent = publishing?.traceparent;
          const published = await publish(options, message, { msgId, arrivedAtMs, traceparent });
          result = published.ok
            ? { ok: true, seq: published.seq, duplicate: published.duplicate, identified, arrivedAtMs }
            : refused(options, published);
        } else result = { ok: false, ...turned };
      } catch (error) {
        // A fault of ours: the device keeps the message and tries again.
        options.log.error({ error: String(error), source: message.source }, 'a message could not be taken');
        result = unavailable(options, 'refused', 'internal fault');
      }
      const outcome = result.ok ? (result.duplicate ? 'duplicate' : 'accepted') : result.refusal;
      options.metrics?.answered(message.source, outcome, message.tenantId);
      if (outcome !== 'accepted') tellOutcome(messageLog, message, identified, result);
      if (message.trace !== undefined) recordAtDoor(options.tracer, message, publishing, result);
      return result;
    },
  };
}

function publish(
  { publisher }: IntakeOptions,
  message: IncomingMessage,
  {
    msgId,
    arrivedAtMs,
    traceparent,
  }: { readonly msgId: string; readonly arrivedAtMs: number; readonly traceparent: string | undefined },
): Promise<PublishResult> {
  const { tenantId, settledTo } = message;
  const envelope = envelopeOf(message, arrivedAtMs);
  return publisher.publish(telemetrySubject(tenantId), envelope, msgId, settledTo, traceparent);
}

/** Field by field: copying whole messages is what a door would spend its time on. */
function identifyAtDoor({ randomBytes }: IntakeOptions, message: IncomingMessage): IdentifiedMessage {
  const { tenantId, deviceId, msgType, token, idempotencyKey, payload, payloadText, firstTry } = message;
  const bytes = firstTry === undefined ? randomBytes : () => firstTry.identity;
  return identify({
    tenantId,
    deviceId,
    msgType,
    token,
    idempotencyKey,
    payload,
    payloadText,
    randomBytes: bytes,
  });
}

function envelopeOf(message: IncomingMessage, ts: number): string {
  const { tenantId, deviceId, msgType, username, payloadText, payloadBase64 } = message;
  const head = {
    topic: ingestTopic(tenantId, deviceId, msgType),
    tenant_id: tenantId,
    device_id: deviceId,
    msg_type: msgType,
    username,
    ts,
  };
  return encodeEnvelope(
    payloadBase64 === undefined ? head : { ...head, payload_b64: payloadBase64 },
    payloadText,
  );
}

type Failed = Extract<PublishResult, { ok: false }>;

function refused(options: IntakeOptions, { why, known, detail }: Failed): IntakeResult {
  const text = [why, known ? undefined : 'outcome unknown', detail].filter((part) => part !== undefined);
  if (why === 'too_large') return { ok: false, refusal: 'too_large', detail: text.join(', ') };
  return unavailable(options, why, text.join(', '));
}

function unavailable(options: IntakeOptions, why: Failed['why'], detail: string): IntakeResult {
  const { backlog, publisher, random } = options;
  const seconds = retryAfterSeconds({
    why,
    backlog: backlog.current(),
    disconnectedForMs: publisher.disconnectedForMs,
    random,
  });
  return { ok: false, refusal: 'unavailable', retryAfterSeconds: seconds, detail };
}
