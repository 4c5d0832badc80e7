import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';
import { until } from '../../../harness/until.ts';

/** One connection of the bridge, as the broker sees it. */
export interface BridgeConnection {
  readonly received: Packet[];
  /** What came, byte by byte, since the SUBSCRIBE. */
  bytes(): Buffer;
  send(packet: Packet): void;
  sendBytes(bytes: Buffer): void;
  /** Bytes that the bridge has not read, beyond what the system holds for it. */
  unsent(): number;
  readonly closed: boolean;
  drop(): void;
}

export interface ScriptedBroker {
  readonly url: URL;
  readonly connections: BridgeConnection[];
  /** The nth connection, from 0, once it has subscribed. */
  subscribed(index: number): Promise<BridgeConnection>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Script {
  readonly version?: 4 | 5;
  readonly connack?: (index: number) => Partial<Extract<Packet, { cmd: 'connack' }>>;
  readonly granted?: number;
  /** Answers no PINGREQ. */
  readonly mute?: boolean;
}

/** A broker that grants what it is asked, and otherwise does what the test says. */
export async function startScriptedBroker(script: Script = {}): Promise<ScriptedBroker> {
  const { version: protocolVersion = 5, granted = 1, mute = false } = script;
  const connections: BridgeConnection[] = [];
  const server = createServer((socket) => {
    const more = script.connack?.(connections.length);
    connections.push(connectionOf(socket, { protocolVersion, granted, mute, more }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: new URL(`mqtt://127.0.0.1:${port}`),
    connections,
    subscribed: (index) =>
      until(
        () => {
          const connection = connections[index];
          return connection?.received.some(({ cmd }) => cmd === 'subscribe') && connection;
        },
        { what: `connection ${index} is subscribed` },
      ),
    [Symbol.asyncDispose]: async () => {
      for (const connection of connections) connection.drop();
      server.close();
      await once(server, 'close');
    },
  };
}

function connectionOf(
  socket: Socket,
  options: {
    readonly protocolVersion: 4 | 5;
    readonly granted: number;
    readonly mute: boolean;
    readonly more: Partial<Extract<Packet, { cmd: 'connack' }>> | undefined;
  },
): BridgeConnection {
  const { protocolVersion, granted, mute, more } = options;
  const received: Packet[] = [];
  let bytes = Buffer.alloc(0);
  let closed = false;
  const send = (packet: Packet) => socket.write(generate(packet, { protocolVersion }));
  const packets = parser({ protocolVersion });
  packets.on('packet', (packet) => {
    received.push(packet);
    const code = protocolVersion === 5 ? { reasonCode: 0 } : { returnCode: 0 };
    if (packet.cmd === 'connect') send({ cmd: 'connack', sessionPresent: false, ...code, ...more });
    if (packet.cmd === 'subscribe')
      send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [granted] });
    if (packet.cmd === 'unsubscribe')
      send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: [0] });
    if (packet.cmd === 'pingreq' && !mute) send({ cmd: 'pingresp' });
  });
  socket.on('data', (chunk: Buffer) => {
    const isSubscribed = received.some(({ cmd }) => cmd === 'subscribe');
    if (isSubscribed) bytes = Buffer.concat([bytes, chunk]);
    packets.parse(chunk);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  return {
    received,
    bytes: () => bytes,
    send,
    sendBytes: (raw) => void socket.write(raw),
    unsent: () => socket.writableLength,
    get closed() {
      return closed;
    },
    drop: () => socket.destroy(),
  };
}
