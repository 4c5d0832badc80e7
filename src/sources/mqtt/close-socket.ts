import type { Socket } from 'node:net';

/** A peer that does not read gets this long to take what was written before the socket is cut. */
const closeTimeoutMs = 2_000;

/** Closes at once after an error; else what was written (a CONNACK that refuses, the last PUBACKs) still goes out. */
export function closeSocket(socket: Socket, error: Error | null): void {
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
