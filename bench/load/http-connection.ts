import { SocketWriter } from '../../src/stream/socket-writer.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface HttpConnection {
  /** One request at a time. @throws Error when the connection breaks */
  send(request: Uint8Array): Promise<HttpAnswer>;
  close(): void;
}

/** A kept-alive connection that does as little as possible, so that the load is not the limit. No pipelining. */
export async function openHttpConnection(port: number): Promise<HttpConnection> {
  const writer = new SocketWriter();
  let waiting: PromiseWithResolvers<HttpAnswer> | undefined;
  let received: Buffer | undefined;
  let broken: string | undefined;
  const fail = (why: string) => {
    broken = why;
    const failed = waiting;
    waiting = undefined;
    failed?.reject(new Error(why));
  };
  const onData = (chunk: Buffer) => {
    received = received === undefined ? chunk : Buffer.concat([received, chunk]);
    const answer = readAnswer(received);
    if (answer === undefined) {
      // Bun may use the chunk's memory again.
      if (received === chunk) received = Buffer.from(chunk);
      return;
    }
    received = undefined;
    const done = waiting;
    waiting = undefined;
    done?.resolve(answer);
  };
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (_, chunk) => onData(chunk),
      drain: () => writer.flush(),
      close: () => fail('the server closed the connection'),
      error: (_, error) => fail(error.message),
    },
  });
  socket.setNoDelay(true);
  writer.attach(socket);
  return {
    send: (request) => {
      if (broken !== undefined) return Promise.reject(new Error(broken));
      waiting = Promise.withResolvers<HttpAnswer>();
      writer.write(request);
      return waiting.promise;
    },
    close: () => void socket.end(),
  };
}

const lengthHeader = /\r\ncontent-length: *(\d+)/i;

/** A whole answer, or undefined while some of it is missing. @throws Error for one without a Content-Length */
export function readAnswer(data: Buffer): HttpAnswer | undefined {
  const headEnd = data.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = lengthHeader.exec(data.toString('latin1', 0, headEnd))?.[1];
  if (length === undefined) throw new Error('an answer without Content-Length: this client reads no chunks');
  const end = headEnd + 4 + Number(length);
  if (data.length < end) return undefined;
  return { status: Number(data.toString('latin1', 9, 12)), body: data.subarray(headEnd + 4, end) };
}
