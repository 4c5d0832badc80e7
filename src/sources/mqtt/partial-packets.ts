import type { MqttRefusal } from '../../observe/mqtt.ts';

/** A connection in the middle of a packet. */
export interface PartialPacket {
  /** True while the listener itself keeps it waiting: that is not the sender's slowness. */
  readonly isHeld: boolean;
  refuse(reason: MqttRefusal): void;
}

export interface PartialPacketsOptions {
  /** Bytes of unfinished packets over all connections. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Ms, monotonic: a step of the wall clock makes nobody slow. */
  readonly clock: () => number;
}

/**
 * The packets that have begun and not ended, over all connections, oldest first. Bounds the memory that slow
 * senders can hold: in time each, and in bytes together (the oldest goes first).
 */
export class PartialPackets {
  readonly #options: PartialPacketsOptions;
  readonly #entries = new Map<PartialPacket, { readonly sinceMs: number; bytes: number }>();
  #bytes = 0;

  constructor(options: PartialPacketsOptions) {
    this.#options = options;
  }

  /** `bytes` of the packet are here now. A packet keeps its place in line until it is `finished`. */
  update(packet: PartialPacket, bytes: number): void {
    const entry = this.#entries.get(packet);
    if (entry === undefined) this.#entries.set(packet, { sinceMs: this.#options.clock(), bytes });
    else {
      this.#bytes -= entry.bytes;
      entry.bytes = bytes;
    }
    this.#bytes += bytes;
    while (this.#bytes > this.#options.maxBytes) {
      const [oldest] = this.#entries.keys();
      if (oldest === undefined) return;
      this.finished(oldest);
      oldest.refuse('receive_budget');
    }
  }

  finished(packet: PartialPacket): void {
    const entry = this.#entries.get(packet);
    if (entry === undefined) return;
    this.#entries.delete(packet);
    this.#bytes -= entry.bytes;
  }

  /** Refuses what has taken longer than the timeout; to be called about once a second. */
  sweep(): void {
    const oldestMs = this.#options.clock() - this.#options.timeoutMs;
    for (const [packet, entry] of this.#entries) {
      if (entry.sinceMs > oldestMs) return;
      if (packet.isHeld) continue;
      this.finished(packet);
      packet.refuse('receive_timeout');
    }
  }
}
