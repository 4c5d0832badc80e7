import type { MqttRefusal } from '../../observe/mqtt.ts';

/** Control packet types, MQTT 3.1.1 section 2.2.1. */
export const packetType = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
} as const;

export interface FixedHeader {
  readonly type: number;
  readonly flags: number;
  /** Bytes behind the fixed header. */
  readonly length: number;
}

export function isPublish(header: FixedHeader): boolean {
  return header.type === packetType.publish;
}

export interface PacketLimits {
  readonly maxPublishBytes: number;
  readonly maxConnectBytes: number;
  /** SUBSCRIBE and UNSUBSCRIBE. */
  readonly maxSubscribeBytes: number;
}

/** Reads the one to four bytes of "remaining length" (section 2.2.3) one by one, across chunks. */
export class FixedHeaderReader {
  #first: number | undefined;
  #length = 0;
  #shift = 0;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** The header once its last byte is there, `undefined` before. */
  push(byte: number): FixedHeader | 'malformed' | undefined {
    if (this.#first === undefined) {
      this.#first = byte;
      return undefined;
    }
    this.#length |= (byte & 0x7f) << this.#shift;
    this.#shift += 7;
    if (byte > 0x7f) return this.#shift === 28 ? 'malformed' : undefined;
    const header = { type: this.#first >> 4, flags: this.#first & 0x0f, length: this.#length };
    this.#first = undefined;
    this.#length = 0;
    this.#shift = 0;
    return header;
  }
}

/** What a client may send after CONNECT; anything else is undefined. Bounds are inclusive. */
function rule(type: number, limits: PacketLimits): { flags: number; min: number; max: number } | undefined {
  switch (type) {
    case packetType.puback:
    case packetType.pubrec:
    case packetType.pubcomp:
      return { flags: 0, min: 2, max: 2 };
    case packetType.pubrel:
      return { flags: 2, min: 2, max: 2 };
    case packetType.subscribe:
    case packetType.unsubscribe:
      return { flags: 2, min: 5, max: limits.maxSubscribeBytes };
    case packetType.pingreq:
    case packetType.disconnect:
      return { flags: 0, min: 0, max: 0 };
    default:
      return undefined;
  }
}

/** Judges a header by itself, so that what may not come is cut off before its body is there. */
export function checkHeader(header: FixedHeader, limits: PacketLimits): MqttRefusal | undefined {
  if (isPublish(header)) {
    if ((header.flags & 0x06) === 0x06 || header.length < 3) return 'malformed';
    return header.length > limits.maxPublishBytes ? 'packet_too_large' : undefined;
  }
  const allowed = rule(header.type, limits);
  if (allowed === undefined || header.flags !== allowed.flags || header.length < allowed.min)
    return 'malformed';
  if (header.length <= allowed.max) return undefined;
  return allowed.max > 2 ? 'packet_too_large' : 'malformed';
}

export type ConnectFrame =
  | { readonly state: 'incomplete' }
  | { readonly state: 'refused'; readonly reason: MqttRefusal }
  /** `size` counts the fixed header too. */
  | { readonly state: 'whole'; readonly size: number };

const protocolNames = new Map([
  ['MQTT', 4],
  ['MQIsdp', 3],
]);

/** Looks at the first bytes of a connection, which must be a CONNECT of MQTT 3.1.1 or 3.1. */
export function readConnectFrame(bytes: Buffer, limits: PacketLimits): ConnectFrame {
  const reader = new FixedHeaderReader();
  let at = 0;
  let header: FixedHeader | 'malformed' | undefined;
  while (header === undefined) {
    const byte = bytes[at++];
    if (byte === undefined) return { state: 'incomplete' };
    if (at === 1 && byte !== packetType.connect << 4) return { state: 'refused', reason: 'malformed' };
    header = reader.push(byte);
  }
  if (header === 'malformed') return { state: 'refused', reason: 'malformed' };
  if (header.length > limits.maxConnectBytes) return { state: 'refused', reason: 'packet_too_large' };
  if (bytes.length < at + header.length) return { state: 'incomplete' };
  const reason = checkProtocol(bytes.subarray(at, at + header.length));
  return reason === undefined ? { state: 'whole', size: at + header.length } : { state: 'refused', reason };
}

function checkProtocol(body: Buffer): MqttRefusal | undefined {
  if (body.length < 3) return 'malformed';
  const end = 2 + body.readUInt16BE(0);
  const level = body[end];
  const wanted = protocolNames.get(body.toString('latin1', 2, end));
  if (level === undefined || wanted === undefined) return 'malformed';
  return level === wanted ? undefined : 'protocol_version';
}
