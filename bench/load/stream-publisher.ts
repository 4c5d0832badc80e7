import { encodeEnvelope } from '../../src/model/envelope.ts';
import { ingestTopic } from '../../src/model/identifiers.ts';
import { SocketWriter } from '../../src/stream/socket-writer.ts';
import type { BenchMessage } from './fleet.ts';

export interface StreamPublisherOptions {
  readonly port: number;
  /** The envelopes of these, in turn. */
  readonly messages: readonly BenchMessage[];
  /** Publishes without their PubAck at once. */
  readonly window: number;
  readonly onAcked: (count: number) => void;
}

export interface StreamPublisher {
  /** Publishes until this many are out, then resolves when all are acknowledged; may be Infinity and `stop`ped. */
  run(count: number): Promise<void>;
  stop(): void;
  close(): void;
}

const inbox = '_INBOX.bench';
/** Where the message id's 32 digits stand in a frame's header. */
const headerStart = 'NATS/1.0\r\nNats-Msg-Id: f1.';
const idDigits = 32;
const letter = { M: 0x4d, H: 0x48 } as const;

interface Frame {
  readonly bytes: Buffer;
  readonly idOffset: number;
}

/**
 * The fastest acked publisher we know how to write: whole protocol frames made beforehand, only the message id is
 * written into each; one write for all that a turn sends; PubAcks are counted, their text not parsed beyond that no
 * error is in it.
 */
export async function openStreamPublisher(options: StreamPublisherOptions): Promise<StreamPublisher> {
  const frames = options.messages.map(frameOf);
  const publisher = new Publisher(frames, options);
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: options.port,
    socket: {
      data: (_, chunk) => publisher.receive(chunk),
      drain: () => publisher.writer.flush(),
      close: () => publisher.fail(new Error('nats-server closed the connection')),
      error: (_, error) => publisher.fail(error),
    },
  });
  publisher.writer.attach(socket);
  const hello =
    '{"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"bench","version":"1"}';
  publisher.writer.write(Buffer.from(`CONNECT ${hello}\r\nSUB ${inbox} 1\r\nPING\r\n`));
  return {
    run: (count) => publisher.run(count),
    stop: () => publisher.stop(),
    close: () => void socket.end(),
  };
}

/** As the gateway publishes it: the same envelope, the same header. */
function frameOf({ device, body }: BenchMessage): Frame {
  const { tenantId, deviceId, token } = device;
  const envelope = encodeEnvelope(
    {
      // Ours are made to fit the patterns.
      topic: ingestTopic(tenantId as never, deviceId as never, 'telemetry'),
      tenant_id: tenantId,
      device_id: deviceId,
      msg_type: 'telemetry',
      username: '',
      ts: Date.now(),
    },
    `${body.slice(0, -1)},"provision_token":"${token}"}`,
  );
  const header = `${headerStart}${'0'.repeat(idDigits)}\r\n\r\n`;
  const sizes = `${header.length} ${header.length + Buffer.byteLength(envelope)}`;
  const command = `HPUB telemetry.${tenantId} ${inbox} ${sizes}\r\n`;
  return {
    bytes: Buffer.from(`${command}${header}${envelope}\r\n`),
    idOffset: command.length + headerStart.length,
  };
}

class Publisher {
  readonly writer = new SocketWriter();
  readonly #frames: readonly Frame[];
  readonly #options: StreamPublisherOptions;
  /** Ids of one publisher never meet another's, or another run's. */
  readonly #idPrefix = Buffer.from(crypto.randomUUID().replaceAll('-', '').slice(0, 20));
  readonly #digits = Buffer.alloc(12);
  #sent = 0;
  #acked = 0;
  #target = 0;
  #rest: Buffer | undefined;
  #done: PromiseWithResolvers<void> | undefined;

  constructor(frames: readonly Frame[], options: StreamPublisherOptions) {
    this.#frames = frames;
    this.#options = options;
  }

  run(count: number): Promise<void> {
    this.#target = this.#sent + count;
    this.#done = Promise.withResolvers<void>();
    this.#send();
    return this.#done.promise;
  }

  stop(): void {
    this.#target = this.#sent;
    this.#finishWhenAcked();
  }

  fail(error: Error): void {
    this.#done?.reject(error);
  }

  receive(chunk: Buffer): void {
    const data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let offset = 0;
    let acks = 0;
    for (;;) {
      const lineEnd = data.indexOf('\r\n', offset);
      if (lineEnd < 0) break;
      const end = this.#frameEnd(data, offset, lineEnd);
      if (end === undefined) break;
      if (end > lineEnd + 2) acks += 1;
      offset = end;
    }
    this.#rest = offset < data.length ? Buffer.from(data.subarray(offset)) : undefined;
    if (acks > 0) this.#acknowledged(acks);
  }

  /** Handles what starts at `offset` and says where it ends; undefined while some of it is missing. */
  #frameEnd(data: Buffer, offset: number, lineEnd: number): number | undefined {
    const kind = data[offset];
    const isMessage = kind === letter.M || kind === letter.H;
    if (!isMessage) {
      this.#control(data.toString('latin1', offset, lineEnd));
      return lineEnd + 2;
    }
    const size = Number(data.toString('latin1', data.lastIndexOf(' ', lineEnd) + 1, lineEnd));
    const end = lineEnd + 2 + size + 2;
    if (data.length < end) return undefined;
    // An answer with headers is the server's own no.
    if (kind === letter.H || data.subarray(lineEnd + 2, end).includes('"error"')) {
      this.fail(new Error(`JetStream refused a message: ${data.toString('latin1', lineEnd + 2, end)}`));
    }
    return end;
  }

  #control(line: string): void {
    if (line === 'PING') this.writer.write(Buffer.from('PONG\r\n'));
    else if (line.startsWith('-ERR')) this.fail(new Error(`nats-server: ${line}`));
  }

  #acknowledged(count: number): void {
    this.#acked += count;
    this.#options.onAcked(count);
    this.#send();
    this.#finishWhenAcked();
  }

  #finishWhenAcked(): void {
    if (this.#sent >= this.#target && this.#acked >= this.#sent) this.#done?.resolve();
  }

  #send(): void {
    const room = Math.min(this.#options.window - (this.#sent - this.#acked), this.#target - this.#sent);
    if (room <= 0) return;
    const frames: Frame[] = [];
    let length = 0;
    for (let n = 0; n < room; n += 1) {
      const frame = this.#frames[(this.#sent + n) % this.#frames.length];
      if (frame === undefined) return;
      frames.push(frame);
      length += frame.bytes.length;
    }
    const written = Buffer.allocUnsafe(length);
    let offset = 0;
    for (const { bytes, idOffset } of frames) {
      written.set(bytes, offset);
      written.set(this.#idPrefix, offset + idOffset);
      written.set(this.#nextDigits(), offset + idOffset + this.#idPrefix.length);
      offset += bytes.length;
    }
    this.writer.write(written);
  }

  /** The next number as twelve hex digits. */
  #nextDigits(): Buffer {
    let rest = this.#sent;
    this.#sent += 1;
    for (let place = 11; place >= 0; place -= 1) {
      const digit = rest % 16;
      this.#digits[place] = digit < 10 ? 48 + digit : 87 + digit;
      rest = Math.floor(rest / 16);
    }
    return this.#digits;
  }
}
