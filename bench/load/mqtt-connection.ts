import { SocketWriter } from '../../src/stream/socket-writer.ts';
import type { BenchDevice } from './fleet.ts';
import { AckReader, connectPacket, type PublishPacket } from './mqtt-packets.ts';

export interface MqttConnection {
  /** Several in one write; ids are given here. */
  publish(packets: readonly PublishPacket[]): void;
  close(): void;
}

export interface MqttListener {
  readonly onPubacks: (count: number) => void;
  readonly onClose: (why: string) => void;
}

/** Connects as a device with its credentials. @throws Error when it is refused */
export async function openMqttConnection(
  port: number,
  device: BenchDevice,
  { onPubacks, onClose }: MqttListener,
): Promise<MqttConnection> {
  const writer = new SocketWriter();
  const reader = new AckReader();
  const connected = Promise.withResolvers<void>();
  const onData = (chunk: Buffer) => {
    const { connacks, pubacks, refused } = reader.read(chunk);
    if (refused) connected.reject(new Error(`the broker refused ${device.tenantId}/${device.deviceId}`));
    else if (connacks > 0) connected.resolve();
    if (pubacks > 0) onPubacks(pubacks);
  };
  const closed = (why: string) => {
    connected.reject(new Error(why));
    onClose(why);
  };
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (_, chunk) => onData(chunk),
      drain: () => writer.flush(),
      close: () => closed('the broker closed the connection'),
      error: (_, error) => closed(error.message),
    },
  });
  socket.setNoDelay(true);
  writer.attach(socket);
  writer.write(connectPacket(device));
  await connected.promise;
  let lastId = 0;
  return {
    publish: (packets) => {
      const written = Buffer.allocUnsafe(packets.reduce((sum, { bytes }) => sum + bytes.length, 0));
      let offset = 0;
      for (const { bytes, idOffset } of packets) {
        lastId = (lastId % 65_535) + 1;
        written.set(bytes, offset);
        written.writeUInt16BE(lastId, offset + idOffset);
        offset += bytes.length;
      }
      writer.write(written);
    },
    close: () => void socket.end(),
  };
}
