import { connect as connectSocket, type Socket } from 'node:net';
import { until } from '../../harness/until.ts';

/** A TCP connection that speaks bytes. */
export class RawClient {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  closed = false;

  constructor(port: number) {
    this.socket = connectSocket(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(...parts: (Buffer | number[])[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as number[]))));
  }

  /** Waits for these bytes at the start of what was received, and takes them off. */
  async expect(bytes: number[]): Promise<void> {
    await until(() => this.received.length >= bytes.length, { what: `${bytes.length} bytes received` });
    const got = [...this.received.subarray(0, bytes.length)];
    if (got.join() !== bytes.join())
      throw new Error(`expected bytes ${bytes}, received ${[...this.received]}`);
    this.received = this.received.subarray(bytes.length);
  }

  async connected(packet: Buffer = connectPacket({})): Promise<void> {
    this.send(packet);
    await this.expect([0x20, 2, 0, 0]);
  }

  untilClosed(): Promise<true> {
    return until(() => this.closed, { what: 'the listener closed the connection' });
  }
}

export function mqttString(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

export function frame(first: number, body: Buffer): Buffer {
  return Buffer.concat([header(first, body.length), body]);
}

/** A fixed header that announces `length` bytes. */
export function header(first: number, length: number): Buffer {
  const bytes = [first];
  let rest = length;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

export function connectPacket(options: {
  clientId?: string;
  username?: string;
  password?: string | Buffer;
  level?: number;
  protocol?: string;
  flags?: number;
  keepaliveSeconds?: number;
}): Buffer {
  const {
    clientId = 'raw',
    username,
    password,
    level = 4,
    protocol = 'MQTT',
    keepaliveSeconds = 60,
  } = options;
  const flags = (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const rest = [clientId, username, password].filter((part) => part !== undefined).map(mqttString);
  return frame(
    0x10,
    Buffer.concat([
      mqttString(protocol),
      Buffer.from([level, options.flags ?? flags | 0x02, 0, keepaliveSeconds]),
      ...rest,
    ]),
  );
}

export function publishPacket(topic: string | Buffer, payload: string | Buffer, qos = 0, id = 1): Buffer {
  const messageId = qos === 0 ? [] : [Buffer.from([id >> 8, id & 0xff])];
  return frame(
    0x30 | (qos << 1),
    Buffer.concat([mqttString(topic), ...messageId, Buffer.from(payload as string)]),
  );
}

export function subscribePacket(filter: string, id = 1): Buffer {
  return frame(0x82, Buffer.concat([Buffer.from([0, id]), mqttString(filter), Buffer.from([0])]));
}
