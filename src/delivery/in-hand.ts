import type { PulledMessage } from '../stream/pulled-message.ts';

/** Numbers of settled messages that are remembered at most. */
const maxRemembered = 100_000;

/**
 * The messages of ROUTES that this process has not acknowledged yet, and which it has settled of late: a killed
 * nats-server delivers again what was acknowledged a moment before, and that needs no second delivery.
 */
export class InHand {
  readonly #held = new Map<string, PulledMessage>();
  readonly #settled = new Set<string>();
  #bytes = 0;

  get count(): number {
    return this.#held.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `settled`: to be acknowledged again and nothing else; `held`: it is under way, with the latest ack's address. */
  take(message: PulledMessage): 'new' | 'held' | 'settled' {
    const key = keyOf(message);
    if (this.#settled.has(key)) return 'settled';
    const held = this.#held.has(key);
    if (held) return 'held';
    this.#held.set(key, message);
    this.#bytes += message.data.length;
    return 'new';
  }

  settled(message: PulledMessage): void {
    this.release(message);
    this.#settled.add(keyOf(message));
    if (this.#settled.size <= maxRemembered) return;
    for (const oldest of this.#settled) {
      this.#settled.delete(oldest);
      break;
    }
  }

  /** Not settled: it will come again. */
  release(message: PulledMessage): void {
    if (this.#held.delete(keyOf(message))) this.#bytes -= message.data.length;
  }

  /** They must not be delivered to another process meanwhile. */
  extend(): void {
    for (const message of this.#held.values()) message.working();
  }
}

/** A stream that was made anew counts from 1 again. */
function keyOf({ streamCreated, seq, timestampNs }: PulledMessage): string {
  return `${streamCreated} ${seq} ${timestampNs}`;
}
