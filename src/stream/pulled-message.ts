import type { Msg, NatsConnection } from '@nats-io/nats-core';
import type { RawMessage } from '../model/verdict.ts';
import { parseAckSubject } from './ack-subject.ts';

export interface PulledMessage extends RawMessage {
  /** `created` of the stream that it was pulled from: another value is another epoch. */
  readonly streamCreated: string;
  /** Explicit ack; those of one turn of the event loop go out together. A lost one only means a redelivery. */
  ack(): void;
  /** Give it back: delivered again after `delayMs`. */
  nak(delayMs: number): void;
  /** Still at work: the ack wait starts again. */
  working(): void;
}

const utf8 = new TextEncoder();
const ackBytes = utf8.encode('+ACK');
const nakBytes = utf8.encode('-NAK');
const workingBytes = utf8.encode('+WPI');
const nsPerMs = 1_000_000;

/** A delivered message; `undefined` for what is none. */
export function toPulledMessage(
  nc: NatsConnection,
  delivered: Msg,
  streamCreated: string,
): PulledMessage | undefined {
  const reply = delivered.reply ?? '';
  const delivery = parseAckSubject(reply);
  if (delivery === undefined) return undefined;
  const answer = (data: Uint8Array) => {
    // On a closed connection there is nobody to tell: it will be delivered again.
    if (!nc.isClosed()) nc.publish(reply, data);
  };
  return {
    ...delivery,
    subject: delivered.subject,
    data: delivered.data,
    msgId: delivered.headers?.get('Nats-Msg-Id') || undefined,
    streamCreated,
    ack: () => answer(ackBytes),
    nak: (delayMs) =>
      answer(delayMs > 0 ? utf8.encode(`-NAK {"delay":${Math.round(delayMs * nsPerMs)}}`) : nakBytes),
    working: () => answer(workingBytes),
  };
}
