/** The configured limits of the stream; the server's own lie above them (see `headroom.ts`). */
export interface RoomLimits {
  readonly maxBytes: number;
  readonly maxPerTenant: number;
}

/** What a look at the stream found. */
export interface Occupied {
  readonly bytes: number;
  /** Messages by subject; undefined where nobody asked. */
  readonly perSubject: ReadonlyMap<string, number> | undefined;
}

/** JetStream's own share of a stored message: the header with our id, and the record. The subject comes on top. */
const overheadBytes = 128;

/**
 * Whether the stream has room, by the latest look at it and by what this door has taken since. Other doors' messages
 * are seen at the next look, so together they may go over by what they take in between: the server's headroom is far
 * larger.
 */
export class StreamRoom {
  readonly #limits: RoomLimits;
  #occupied: Occupied | undefined;
  /** Taken since the latest look that succeeded, in parts: one more with each look that is under way. */
  #since: Taken[] = [new Taken()];

  constructor(limits: RoomLimits) {
    this.#limits = limits;
  }

  /** Counts a message, or says why there is no room for it. Before the first look there always is. */
  take(subject: string, bytes: number): 'stream_full' | 'tenant_full' | undefined {
    const size = bytes + subject.length + overheadBytes;
    if (this.#occupied !== undefined) {
      const { maxBytes, maxPerTenant } = this.#limits;
      if (this.#occupied.bytes + sum(this.#since, (taken) => taken.bytes) + size > maxBytes)
        return 'stream_full';
      const before = this.#occupied.perSubject?.get(subject) ?? 0;
      if (before + sum(this.#since, (taken) => taken.of(subject)) >= maxPerTenant) return 'tenant_full';
    }
    this.#since.at(-1)?.add(subject, size);
    return undefined;
  }

  /** A look begins: what is taken from here on may not be in its answer. */
  lookBegins(): void {
    this.#since.push(new Taken());
  }

  lookEnds(occupied: Occupied): void {
    this.#occupied = occupied;
    this.#since = this.#since.slice(-1);
  }

  lookFailed(): void {
    const last = this.#since.pop();
    if (last !== undefined) this.#since.at(-1)?.merge(last);
  }
}

class Taken {
  bytes = 0;
  readonly #perSubject = new Map<string, number>();

  of(subject: string): number {
    return this.#perSubject.get(subject) ?? 0;
  }

  add(subject: string, bytes: number, messages = 1): void {
    this.bytes += bytes;
    this.#perSubject.set(subject, this.of(subject) + messages);
  }

  merge(other: Taken): void {
    this.bytes += other.bytes;
    for (const [subject, messages] of other.#perSubject) this.add(subject, 0, messages);
  }
}

function sum(parts: readonly Taken[], of: (taken: Taken) => number): number {
  let total = 0;
  for (const part of parts) total += of(part);
  return total;
}
