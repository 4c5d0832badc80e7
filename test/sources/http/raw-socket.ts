import { connect } from 'node:net';

export interface RawExchange {
  /** Sends more. */
  send(text: string | Uint8Array): void;
  /** Ends our half of the connection. */
  halfClose(): void;
  /** What has come back so far. */
  received(): string;
  readonly isClosed: () => boolean;
  /** Resolves once the server has closed, to everything it sent. */
  readonly closed: Promise<string>;
  /** Ends it from our side. */
  destroy(): void;
}

/** A TCP connection on which a test writes HTTP by hand. */
export function openRaw(port: number, first: string | Uint8Array = ''): RawExchange {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  let closed = false;
  const ended = Promise.withResolvers<string>();
  const finish = () => {
    closed = true;
    socket.destroy();
    ended.resolve(received);
  };
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  // A reset while we still write is a close like any other.
  socket.on('error', finish);
  socket.on('end', finish);
  socket.on('close', finish);
  if (first.length > 0) socket.write(first);
  return {
    send: (text) => {
      if (!closed) socket.write(text);
    },
    halfClose: () => socket.end(),
    received: () => received,
    isClosed: () => closed,
    closed: ended.promise,
    destroy: () => socket.destroy(),
  };
}

/** Head of a request as bytes on the wire, up to and with the empty line. */
export function head(method: string, path: string, ...lines: string[]): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: door', ...lines, '', ''].join('\r\n');
}
