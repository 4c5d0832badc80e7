import type { BenchDevice, BenchMessage } from './fleet.ts';

/** MQTT 3.1.1 packets, as far as a publishing device needs them. */
export function connectPacket({ tenantId, deviceId, token }: BenchDevice, keepAliveSeconds = 600): Buffer {
  const username = `${tenantId}/${deviceId}`;
  const variable = Buffer.concat([
    text('MQTT'),
    Buffer.from([4, 0xc2, keepAliveSeconds >> 8, keepAliveSeconds & 255]),
  ]);
  return packet(0x10, Buffer.concat([variable, text(username), text(username), text(token)]));
}

/** QoS 1, with room for the packet id at `idOffset`. */
export interface PublishPacket {
  readonly bytes: Buffer;
  readonly idOffset: number;
}

/** The token in the payload, too: whoever connects without credentials must send it. */
export function publishPacket({ device, body }: BenchMessage): PublishPacket {
  const topic = text(`tenant/${device.tenantId}/device/${device.deviceId}/telemetry`);
  const bytes = packet(0x32, Buffer.concat([topic, Buffer.from([0, 0]), Buffer.from(body)]));
  return { bytes, idOffset: bytes.indexOf(topic) + topic.length };
}

const acknowledged = { connack: 0x20, puback: 0x40 } as const;

/** Counts whole packets of the two kinds; both are four bytes long. @throws Error for any other packet */
export class AckReader {
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): { connacks: number; pubacks: number; refused: boolean } {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const counts = { connacks: 0, pubacks: 0, refused: false };
    let offset = 0;
    for (; offset + 4 <= data.length; offset += 4) {
      const kind = data[offset];
      if (kind === acknowledged.puback) counts.pubacks += 1;
      else if (kind === acknowledged.connack) {
        counts.connacks += 1;
        if (data[offset + 3] !== 0) counts.refused = true;
      } else
        throw new Error(`the broker sent a packet of kind 0x${kind?.toString(16)}, which nobody asked for`);
    }
    this.#rest = Buffer.from(data.subarray(offset));
    return counts;
  }
}

function packet(kind: number, rest: Buffer): Buffer {
  const length: number[] = [];
  let left = rest.length;
  do {
    const more = left > 127 ? 0x80 : 0;
    length.push((left % 128) | more);
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.concat([Buffer.from([kind, ...length]), rest]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}
