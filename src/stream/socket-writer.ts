/** The part of Bun's socket that is written to. */
interface Writable {
  /** @returns how much the kernel took; negative when the socket is closed */
  write(data: Uint8Array): number;
}

/** Writes whole buffers in order: what the kernel does not take now goes when it drains. */
export class SocketWriter {
  #socket: Writable | undefined;
  #waiting: Uint8Array[] = [];

  attach(socket: Writable): void {
    this.#socket = socket;
  }

  /** @param data is kept while it waits: do not change it */
  write(data: Uint8Array): void {
    if (this.#waiting.length > 0) {
      this.#waiting.push(data);
      return;
    }
    const written = Math.max(0, this.#socket?.write(data) ?? 0);
    if (written < data.length) this.#waiting.push(data.subarray(written));
  }

  /** To be called when the socket drains. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const data of waiting) this.write(data);
  }
}
