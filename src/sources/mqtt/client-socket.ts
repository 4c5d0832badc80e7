import type { Socket } from 'node:net';

/** A peer that does not read gets this long to take what was written before the socket is cut. */
const closeTimeoutMs = 2_000;

export interface ClientSocketEvents {
  readonly onBytes: (bytes: Buffer) => void;
  /** The client ends in order: what was received is still to be handled, and the end of the stream then closes all. */
  readonly onEnd: () => void;
  /** Failed, or closed without an orderly end. */
  readonly onLost: (error?: Error) => void;
}

/** The client's end of a connection: read while that is wanted, written no faster than it takes. */
export class ClientSocket {
  readonly #socket: Socket;
  #hasEnded = false;
  #reading = true;
  #heard = true;

  constructor(socket: Socket, { onBytes, onEnd, onLost }: ClientSocketEvents) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#heard = true;
      onBytes(bytes);
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      onEnd();
    });
    socket.on('error', onLost);
    socket.on('close', () => {
      if (!this.#hasEnded) onLost();
    });
  }

  /** Whether the client ended in order. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether anything came since the last time this was asked. */
  takeHeard(): boolean {
    const heard = this.#heard;
    this.#heard = false;
    return heard;
  }

  read(reading: boolean): void {
    if (reading === this.#reading) return;
    this.#reading = reading;
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  /** `done` once there is room for more. */
  write(bytes: Buffer, done: () => void): void {
    if (this.#socket.destroyed || this.#socket.write(bytes)) done();
    else this.#socket.once('drain', done);
  }

  close(error: Error | null): void {
    closeSocket(this.#socket, error);
  }
}

/** Closes at once after an error; else what was written (a CONNACK that refuses, the last PUBACKs) still goes out. */
function closeSocket(socket: Socket, error: Error | null): void {
  if (socket.destroyed) return;
  if (error !== null) {
    socket.destroy();
    return;
  }
  const cut = setTimeout(() => socket.destroy(), closeTimeoutMs);
  socket.once('close', () => clearTimeout(cut));
  socket.resume();
  socket.end(() => socket.destroy());
}
