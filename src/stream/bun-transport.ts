import { lookup } from 'node:dns/promises';
import {
  type ConnectionOptions,
  checkOptions,
  extractProtocolMessage,
  INFO,
  type Server,
  setTransportFactory,
  type Transport,
} from '@nats-io/nats-core/internal';
import { SocketWriter } from './socket-writer.ts';

/** The server encrypts, which this transport does not: the client's own does. */
export class TlsWantedError extends Error {
  override readonly name = 'TlsWantedError';
}

/** Makes connections dialled from now on use this transport; the client knows one for the whole process. */
export function useBunTransport(): void {
  setTransportFactory({
    factory: () => new BunTransport(),
    dnsResolveFn: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  });
}

async function dial(options: Bun.TCPSocketConnectOptions<undefined>): Promise<Bun.Socket> {
  try {
    return await Bun.connect(options);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    throw code === 'ECONNREFUSED' ? new Error('connection refused', { cause }) : cause;
  }
}

/**
 * The client's transport over the runtime's own socket, unencrypted. The one over `node:net` costs a third of a
 * gateway's processor time: streams, and two promises a write.
 *
 * Invariants, which the client counts on:
 * - `closed()` resolves once, however the connection ends, and only after `connect()` has succeeded;
 * - what was read stays in the order it came, INFO first;
 * - `send` never throws: a connection that is gone tells so by closing.
 */
class BunTransport implements Transport {
  readonly lang = 'nats.js';
  readonly version = '3';
  closeError?: Error;
  readonly #writer = new SocketWriter();
  readonly #closed = Promise.withResolvers<undefined | Error>();
  #socket: Bun.Socket | undefined;
  #received: Uint8Array[] = [];
  #arrived = Promise.withResolvers<void>();
  #isConnected = false;
  #isDone = false;

  get isClosed(): boolean {
    return this.#isDone;
  }

  async connect({ hostname, port }: Server, options: ConnectionOptions): Promise<void> {
    const info = Promise.withResolvers<string>();
    // Nobody waits for it when the connection is refused.
    info.promise.catch(() => undefined);
    const socket = await dial({
      hostname,
      port,
      socket: {
        data: (_, chunk) => {
          this.#received.push(chunk);
          this.#arrived.resolve();
          if (!this.#isConnected) this.#findInfo(info.resolve);
        },
        drain: () => this.#writer.flush(),
        end: (ended) => void ended.end(),
        error: (_, error) => {
          this.closeError = error;
        },
        close: () => {
          info.reject(this.closeError ?? new Error('the server closed the connection'));
          this.#end();
        },
      },
    });
    this.#socket = socket;
    if (this.#isDone) socket.terminate();
    socket.setNoDelay(true);
    this.#writer.attach(socket);
    this.#check(await info.promise, options);
    this.#isConnected = true;
  }

  /** Whole once its line has ended. */
  #findInfo(found: (line: string) => void): void {
    const line = extractProtocolMessage(Buffer.concat(this.#received));
    if (line !== '') found(line);
  }

  /** @throws TlsWantedError, or ConnectionError when the server lacks what the options need */
  #check(line: string, options: ConnectionOptions): void {
    const json = INFO.exec(line)?.[1];
    try {
      if (json === undefined) throw new Error('what listens there is no NATS server');
      const info: Parameters<typeof checkOptions>[0] = JSON.parse(json);
      if (info.tls_required || info.tls_available) throw new TlsWantedError('the server encrypts');
      checkOptions(info, options);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    for (;;) {
      if (this.#received.length === 0) {
        // What came before the end is read: it may say why.
        if (this.#isDone) return;
        await this.#arrived.promise;
      }
      const chunks = this.#received;
      this.#received = [];
      if (!this.#isDone) this.#arrived = Promise.withResolvers();
      yield* chunks;
    }
  }

  isEncrypted(): boolean {
    return false;
  }

  send(frame: Uint8Array): void {
    if (!this.#isDone) this.#writer.write(frame);
  }

  /** What was sent still goes out, unless there is an error. */
  async close(error?: Error): Promise<void> {
    if (!this.#isConnected || this.#isDone) return;
    if (error !== undefined) this.closeError = error;
    if (error === undefined) this.#socket?.end();
    else this.#socket?.terminate();
    // A frozen server answers no goodbye, which must not keep the process.
    this.#socket?.unref();
    this.#end();
  }

  disconnect(): void {
    this.#socket?.terminate();
    this.#end();
  }

  closed(): Promise<undefined | Error> {
    return this.#closed.promise;
  }

  discard(): void {
    this.#isDone = true;
    this.#received = [];
    this.#arrived.resolve();
    this.#socket?.terminate();
  }

  #end(): void {
    if (!this.#isConnected || this.#isDone) return;
    this.#isDone = true;
    this.#arrived.resolve();
    this.#closed.resolve(this.closeError);
  }
}
