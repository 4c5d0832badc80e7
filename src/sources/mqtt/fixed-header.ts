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
  /** Of the fixed header itself, in bytes. */
  readonly size: number;
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

/** Reads the header at `at`, undefined while a byte of it is missing ("remaining length", section 2.2.3). */
export function readFixedHeader(
  bytes: Uint8Array,
  at: number,
  end: number,
): FixedHeader | 'malformed' | undefined {
  let length = 0;
  for (let size = 2; size <= 5; size++) {
    if (at + size > end) return undefined;
    const byte = bytes[at + size - 1] ?? 0;
    length |= (byte & 0x7f) << (7 * (size - 2));
    if (byte > 0x7f) continue;
    const first = bytes[at] ?? 0;
    return { type: first >> 4, flags: first & 0x0f, length, size };
  }
  return 'malformed';
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
  if (bytes.length > 0 && bytes[0] !== packetType.connect << 4)
    return { state: 'refused', reason: 'malformed' };
  const header = readFixedHeader(bytes, 0, bytes.length);
  if (header === undefined) return { state: 'incomplete' };
  if (header === 'malformed') return { state: 'refused', reason: 'malformed' };
  if (header.length > limits.maxConnectBytes) return { state: 'refused', reason: 'packet_too_large' };
  const size = header.size + header.length;
  if (bytes.length < size) return { state: 'incomplete' };
  const reason = checkProtocol(bytes.subarray(header.size, size));
  return reason === undefined ? { state: 'whole', size } : { state: 'refused', reason };
}

function checkProtocol(body: Buffer): MqttRefusal | undefined {
  if (body.length < 3) return 'malformed';
  const end = 2 + body.readUInt16BE(0);
  const level = body[end];
  const wanted = protocolNames.get(body.toString('latin1', 2, end));
  if (level === undefined || wanted === undefined) return 'malformed';
  return level === wanted ? undefined : 'protocol_version';
}
