import type { MsgType } from './identifiers.ts';

/**
 * The one message form that both sources publish on `telemetry.{tenant_id}`, as UTF-8 JSON.
 * Written by `intake/`, read by `worker/decode.ts`; nothing else knows it.
 */
export interface Envelope {
  /** `tenant/{tenant_id}/device/{device_id}/{msg_type}` */
  readonly topic: string;
  readonly tenant_id: string;
  readonly device_id: string;
  readonly msg_type: MsgType;
  /** The MQTT user name; empty for HTTP. The worker never trusts it. */
  readonly username: string;
  /** The device's JSON object, with `provision_token`; for a batch item the whole item. */
  readonly payload: unknown;
  /** The payload's bytes in base64, where they are not text (MQTT); `payload` is null then. */
  readonly payload_b64?: string;
  /** Arrival at the source, in ms since the epoch. */
  readonly ts: number;
}

/** Everything of an envelope but the payload, which is spliced in as text. */
export type EnvelopeHead = Omit<Envelope, 'payload'>;

/** Subjects and the stream that carry telemetry. */
export const telemetrySubjectPrefix = 'telemetry.';

/**
 * Splices a payload, already valid JSON text, into an envelope without parsing it again: the values
 * reach the worker exactly as the device wrote them.
 */
export function encodeEnvelope(head: EnvelopeHead, payloadText: string): string {
  const username = head.username === '' ? '""' : JSON.stringify(head.username);
  const base64 = head.payload_b64 === undefined ? '' : `,"payload_b64":"${head.payload_b64}"`;
  // The ids and the topic were checked against patterns that need no escaping.
  return (
    `{"topic":"${head.topic}","tenant_id":"${head.tenant_id}","device_id":"${head.device_id}",` +
    `"msg_type":"${head.msg_type}","username":${username},"payload":${payloadText}${base64},"ts":${head.ts}}`
  );
}
