import type { Socket } from 'node:net';
import { packetType } from './fixed-header.ts';

type Answer = 'puback' | 'pubrec' | 'pubcomp';

/**
 * The acknowledgements of one client. Those of one turn of the event loop leave in one write: JetStream's
 * PubAcks come in bursts.
 */
export class Answers {
  readonly #socket: Socket;
  readonly #onDrain: () => void;
  #bytes: number[] = [];
  #isBlocked = false;

  /** `onDrain` is called when the client has read, and is not blocked any more. */
  constructor(socket: Socket, onDrain: () => void) {
    this.#socket = socket;
    this.#onDrain = onDrain;
  }

  /** Whether the client does not read what it is sent. It must not be read either, or this grows without bound. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  add(answer: Answer, messageId: number): void {
    if (this.#bytes.length === 0) queueMicrotask(() => this.flush());
    this.#bytes.push(packetType[answer] << 4, 2, messageId >> 8, messageId & 0xff);
  }

  /** Writes at once what was added. */
  flush(): void {
    if (this.#bytes.length === 0) return;
    const bytes = Buffer.from(this.#bytes);
    this.#bytes = [];
    if (this.#socket.destroyed || this.#socket.write(bytes) || this.#isBlocked) return;
    this.#isBlocked = true;
    this.#socket.once('drain', () => {
      this.#isBlocked = false;
      this.#onDrain();
    });
  }
}
