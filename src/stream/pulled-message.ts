import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { traceparentHeader } from '../model/trace-context.ts';
import type { RawMessage } from '../model/verdict.ts';
import { type Delivery, parseAckSubject } from './ack-subject.ts';
import { settledToHeader } from './publish-frames.ts';

export interface PulledMessage extends RawMessage {
  /** `created` of the stream that it was pulled from: another value is another epoch. */
  readonly streamCreated: string;
  /** Whom to tell what became of it, as its publisher says: see `settledSubject`. Mostly nobody. */
  readonly settledTo?: string | undefined;
  /** W3C's, as its publisher wrote it; read when it is asked for. */
  readonly traceparent?: string | undefined;
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
  const delivery = parseAckSubject(delivered.reply ?? '');
  return delivery === undefined ? undefined : new DeliveredMessage(nc, delivered, delivery, streamCreated);
}

/** A class, so that the answers are not made anew for each of many messages. */
class DeliveredMessage implements PulledMessage {
  readonly seq: number;
  readonly timestampNs: bigint;
  readonly deliveryCount: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly msgId: string | undefined;
  readonly streamCreated: string;
  readonly settledTo: string | undefined;
  readonly #nc: NatsConnection;
  readonly #delivered: Msg;

  constructor(nc: NatsConnection, delivered: Msg, delivery: Delivery, streamCreated: string) {
    this.seq = delivery.seq;
    this.timestampNs = delivery.timestampNs;
    this.deliveryCount = delivery.deliveryCount;
    this.subject = delivered.subject;
    this.data = delivered.data;
    this.msgId = delivered.headers?.get('Nats-Msg-Id') || undefined;
    this.settledTo = delivered.headers?.get(settledToHeader) || undefined;
    this.streamCreated = streamCreated;
    this.#nc = nc;
    this.#delivered = delivered;
  }

  get traceparent(): string | undefined {
    return this.#delivered.headers?.get(traceparentHeader) || undefined;
  }

  ack(): void {
    this.#answer(ackBytes);
  }

  nak(delayMs: number): void {
    this.#answer(delayMs > 0 ? utf8.encode(`-NAK {"delay":${Math.round(delayMs * nsPerMs)}}`) : nakBytes);
  }

  working(): void {
    this.#answer(workingBytes);
  }

  #answer(data: Uint8Array): void {
    // On a closed connection there is nobody to tell: it will be delivered again.
    if (!this.#nc.isClosed()) this.#nc.publish(this.#delivered.reply ?? '', data);
  }
}
