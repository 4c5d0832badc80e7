import type { RawMessage } from '../model/verdict.ts';

export interface PulledMessage extends RawMessage {
  /** Explicit ack; many in one turn of the event loop go out in one write. */
  ack(): void;
  /** Give it back: delivered again after `delayMs`. */
  nak(delayMs: number): void;
  /** Still at work: the ack wait starts again. */
  working(): void;
}

export interface Puller {
  /** Resolves to 1…batchSize messages in the order delivered; to undefined once stopped. */
  next(): Promise<PulledMessage[] | undefined>;
  /** Stops asking; what is buffered is nak'ed so that others get it at once. */
  stop(): Promise<void>;
}
