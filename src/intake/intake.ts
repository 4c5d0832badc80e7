import type { Logger } from 'pino';
import { encodeEnvelope } from '../model/envelope.ts';
import type { RefusalCode } from '../model/errors.ts';
import { type DeviceId, ingestTopic, type MsgType, type TenantId } from '../model/identifiers.ts';
import { encodeMsgId, type IdentifiedMessage, identify } from '../model/identity.ts';
import type { IntakeMetrics } from '../observe/intake.ts';
import { createMessageLog } from '../observe/message-log.ts';
import type { DoorTrace, Tracer } from '../observe/tracer.ts';
import type { BacklogMonitor } from '../stream/backlog.ts';
import type { Publisher, PublishResult } from '../stream/publisher.ts';
import { retryAfterSeconds } from '../stream/retry-after.ts';
import { telemetrySubject } from '../stream/subjects.ts';
import type { Admission } from './admission.ts';
import { tellOutcome } from './tell-outcome.ts';
import { beginPublish, type Publishing, recordAtDoor } from './trace-message.ts';

export type IntakeSource = 'http' | 'batch' | 'mqtt' | 'mqtt-bridge';

/** A message whose form the source has read and checked. */
export interface IncomingMessage {
  readonly source: IntakeSource;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly msgType: MsgType;
  /** The MQTT user name; empty for HTTP. */
  readonly username: string;
  /** As sent; empty over anonymous MQTT without one. */
  readonly token: string;
  /** The `Idempotency-Key` header, or `msg_id` of a batch item or MQTT payload. */
  readonly idempotencyKey: string | undefined;
  /**
   * The payload as JSON text of an object, `provision_token` already in it. MQTT also hands on what is no
   * acceptable object, as a JSON string or `null`: the worker quarantines it.
   */
  readonly payloadText: string;
  /** The payload's bytes in base64, where they are not text; `payloadText` is `null` then. */
  readonly payloadBase64?: string;
  /** The payload, parsed; empty when it is no object. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Whom the worker tells what became of it: see `SettledWaits`. Absent: nobody. */
  readonly settledTo?: string | undefined;
  /** Of a source that tries again by itself: the same for every try, so that all of them are one message. */
  readonly firstTry?: FirstTry;
  /** Its span at the door, recorded when it is answered. Absent: it is not followed. */
  readonly trace?: DoorTrace | undefined;
}

export interface FirstTry {
  /** 16 random bytes: the identity, where the message brings none. */
  readonly identity: Uint8Array;
  /** Ms since the epoch. A reading without a time of its own is identified by it, too. */
  readonly arrivedAtMs: number;
}

export interface AcceptedMessage {
  readonly ok: true;
  readonly seq: number;
  /** JetStream had the message already; `seq` is the first one's. */
  readonly duplicate: boolean;
  readonly identified: IdentifiedMessage;
  /** As in the envelope, ms since the epoch. */
  readonly arrivedAtMs: number;
}

export type IntakeResult =
  | AcceptedMessage
  | {
      readonly ok: false;
      readonly refusal: RefusalCode;
      /** Whole seconds, 1…60; with `unavailable` and `unknown_tenant_limit`. */
      readonly retryAfterSeconds?: number;
      /** For logs, never for the device. */
      readonly detail?: string;
    };

export interface Intake {
  /**
   * Takes one message: resolves once JetStream has stored it, or it is refused. Never throws.
   * An `unavailable` may be an unknown outcome: the message may have been stored.
   */
  accept(message: IncomingMessage): Promise<IntakeResult>;
}

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
