import type { RefusalCode } from '../model/errors.ts';
import type { DeviceId, MsgType, TenantId } from '../model/identifiers.ts';
import type { IdentifiedMessage } from '../model/identity.ts';
import type { DoorTrace } from '../observe/tracer.ts';

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
