import type { DeviceId, MsgType, TenantId } from './identifiers.ts';
import type { IdentityKind } from './identity.ts';
import type { Reason } from './reasons.ts';
import type { RegisteredDevice } from './registry.ts';

/** Where JetStream put a message: with the timestamp it is unique even across restored streams. */
export interface StreamPosition {
  /** Stream sequence. */
  readonly seq: number;
  /** JetStream's timestamp of the message, ns since the epoch. */
  readonly timestampNs: bigint;
}

/** A message as pulled from the stream, before decoding. */
export interface RawMessage extends StreamPosition {
  readonly subject: string;
  readonly data: Uint8Array;
  /** `Nats-Msg-Id`, absent when the publisher set none. */
  readonly msgId: string | undefined;
  /** How often it was delivered, from 1. No evidence of anything: see `settle`. */
  readonly deliveryCount: number;
}

/** A reading that passed every check, ready to be a row of `telemetry`. */
export interface Reading {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly siteId: string;
  readonly msgType: MsgType;
  /** Event time, µs since the epoch (PostgreSQL's precision; nanoseconds are truncated). */
  readonly timeUs: number;
  /** Arrival at the source, ms since the epoch. */
  readonly arrivedAtMs: number;
  /** The device's `seq` where it is an integer in 0…2^53-1, else undefined (kept in `extraText` then). */
  readonly seq: number | undefined;
  /** The metrics object as JSON text, numbers exactly as sent. `{}` for a heartbeat without metrics. */
  readonly metricsText: string;
  /** Metrics parsed, for sensors and latest values; numbers that a double cannot hold are raw. */
  readonly metrics: Readonly<Record<string, unknown>>;
  /** The payload's other members as JSON text, without the token; undefined when there are none. */
  readonly extraText: string | undefined;
}

/** The message identity, as `intake` or the worker determined it. */
export interface MessageIdentity {
  readonly kind: IdentityKind;
  /** 16 bytes as 32 lower-case hex digits. */
  readonly identity: string;
  /** 16 bytes as 32 hex digits; undefined for kinds that need none. */
  readonly bodyHash: string | undefined;
}

/** What goes into `quarantine`: the payload as bytes, the token cut out. */
export interface Rejection {
  readonly reason: Reason;
  /** One sentence that names the offending value (never the token). */
  readonly detail: string;
  /** For STORE_REJECTED. */
  readonly sqlstate?: string;
}

/** A reading that is to be stored, and the registry's entry that it was judged by. */
export interface Accepted {
  readonly outcome: 'accept';
  readonly reading: Reading;
  readonly device: RegisteredDevice;
}

/** What judging says of one message. */
export type Verdict =
  | Accepted
  | { readonly outcome: 'quarantine'; readonly rejection: Rejection }
  /** A canary: claimed and counted, never stored, routed or charged. */
  | { readonly outcome: 'internal' };
