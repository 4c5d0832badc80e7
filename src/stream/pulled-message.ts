import type { Msg } from '@nats-io/nats-core';
import { traceparentHeader } from '../model/trace-context.ts';
import type { RawMessage } from '../model/verdict.ts';
import { type Delivery, parseAckSubject } from './ack-subject.ts';
import type { CoreWriter } from './core-writer.ts';
import { headerTextOf, headerValue } from './header-text.ts';
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

const nsPerMs = 1_000_000;

/**
 * A delivered message; `undefined` for what is none.
 * @param acks where its answers go
 */
export function toPulledMessage(
  acks: CoreWriter,
  delivered: Msg,
  streamCreated: string,
): PulledMessage | undefined {
  const reply = delivered.reply ?? '';
  const delivery = parseAckSubject(reply);
  return delivery === undefined
    ? undefined
    : new DeliveredMessage(acks, delivered, reply, delivery, streamCreated);
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
  readonly #acks: CoreWriter;
  readonly #reply: string;
  readonly #headers: string;

  constructor(acks: CoreWriter, delivered: Msg, reply: string, delivery: Delivery, streamCreated: string) {
    this.seq = delivery.seq;
    this.timestampNs = delivery.timestampNs;
    this.deliveryCount = delivery.deliveryCount;
    this.subject = delivered.subject;
    this.data = delivered.data;
    this.streamCreated = streamCreated;
    this.#acks = acks;
    this.#reply = reply;
    this.#headers = headerTextOf(delivered);
    this.msgId = headerValue(this.#headers, 'Nats-Msg-Id');
    this.settledTo = headerValue(this.#headers, settledToHeader);
  }

  get traceparent(): string | undefined {
    return headerValue(this.#headers, traceparentHeader);
  }

  ack(): void {
    this.#acks.publish(this.#reply, '+ACK');
  }

  nak(delayMs: number): void {
    this.#acks.publish(this.#reply, delayMs > 0 ? `-NAK {"delay":${Math.round(delayMs * nsPerMs)}}` : '-NAK');
  }

  working(): void {
    this.#acks.publish(this.#reply, '+WPI');
  }
}
