import type { BridgeOutcome } from '../../../observe/mqtt-bridge.ts';
import type { Letter } from './carry.ts';

/** What becomes of a message, as `carry` tells. */
export type Fate = Promise<BridgeOutcome | undefined>;

interface Held extends Letter {
  readonly fate: Fate;
}

/**
 * The messages of one session that were received and not acknowledged, by packet id.
 *
 * Invariant: a message is in here only as long as no PUBACK for it was written. So the broker cannot have used its
 * packet id for another one, and what comes again in the same session under that id, marked as sent again and with the
 * same bytes, is the same message, whether it brings an identity or not.
 */
export class InHand {
  readonly #held = new Map<number, Held>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  take(packetId: number, letter: Letter, fate: Fate): void {
    this.#held.delete(packetId);
    this.#held.set(packetId, { ...letter, fate });
    const [oldest] = this.#held.keys();
    if (this.#held.size > this.#most && oldest !== undefined) this.#held.delete(oldest);
  }

  /** The fate of a message that came again; undefined when it must be taken for another one. */
  find(packetId: number, { topic, payload }: Letter): Fate | undefined {
    const held = this.#held.get(packetId);
    if (held?.topic !== topic || Buffer.compare(held.payload, payload) !== 0) return undefined;
    return held.fate;
  }

  /** Before its PUBACK is written. */
  letGo(packetId: number): void {
    this.#held.delete(packetId);
  }

  /** The broker has no session of ours any more: its packet ids begin anew. */
  clear(): void {
    this.#held.clear();
  }
}
