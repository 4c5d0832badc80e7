export interface PublishWindowOptions {
  /** Publishes under way at most. */
  readonly maxMessages: number;
  /** Their bytes at most; one alone may be larger. */
  readonly maxBytes: number;
}

/**
 * How many publishes the whole listener has under way. Who finds it full waits in line and reads nothing
 * meanwhile, so that overload becomes TCP backpressure and not a wave of disconnects.
 */
export class PublishWindow {
  readonly #options: PublishWindowOptions;
  /** In the order of arrival: nobody overtakes, so that a large packet is not starved by small ones. */
  readonly #line = new Map<() => void, number>();
  #messages = 0;
  #bytes = 0;

  constructor(options: PublishWindowOptions) {
    this.#options = options;
  }

  get messages(): number {
    return this.#messages;
  }

  /** Takes a place and says true, or stands in line: then `granted` is called once the place is taken. */
  enter(bytes: number, granted: () => void): boolean {
    if (this.#line.size === 0 && this.#fits(bytes)) {
      this.#take(bytes);
      return true;
    }
    this.#line.set(granted, bytes);
    return false;
  }

  /** Steps out of the line. */
  cancel(granted: () => void): void {
    this.#line.delete(granted);
  }

  leave(bytes: number, messages = 1): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
    for (const [granted, wanted] of this.#line) {
      if (!this.#fits(wanted)) return;
      this.#line.delete(granted);
      this.#take(wanted);
      granted();
    }
  }

  #fits(bytes: number): boolean {
    if (this.#messages >= this.#options.maxMessages) return false;
    return this.#messages === 0 || this.#bytes + bytes <= this.#options.maxBytes;
  }

  #take(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }
}
