/** The part of Bun's socket that is written to. */
interface Writable {
  write(data: Uint8Array): number;
}

/** Writes whole buffers in order: what the kernel does not take now goes when it drains. */
export class SocketWriter {
  #socket: Writable | undefined;
  #waiting: Uint8Array[] = [];

  attach(socket: Writable): void {
    this.#socket = socket;
  }

  write(data: Uint8Array): void {
    if (this.#waiting.length > 0) {
      this.#waiting.push(Buffer.from(data));
      return;
    }
    const written = this.#socket?.write(data) ?? 0;
    // A copy: the caller may use its buffer again.
    if (written < data.length) this.#waiting.push(Buffer.from(data.subarray(Math.max(0, written))));
  }

  /** To be called when the socket drains. */
  flush(): void {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const written = Math.max(0, this.#socket?.write(first) ?? 0);
      if (written < first.length) {
        this.#waiting[0] = first.subarray(written);
        return;
      }
      this.#waiting.shift();
    }
  }
}
