import type { Packet } from './packet-reader.ts';

/** A PUBLISH, MQTT 3.1.1 section 3.3. */
export interface Publish {
  /** As UTF-8; what was none has become U+FFFD. */
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  /** Undefined with QoS 0. */
  readonly messageId: number | undefined;
  /** Lies in the bytes received: to be read at once. */
  readonly payload: Uint8Array;
  /** Remaining length of the packet. */
  readonly length: number;
}

/** Undefined when a topic or id would run over the packet's end, or the id is 0. */
export function parsePublish({ header, bytes, start, end }: Packet): Publish | undefined {
  const topicStart = start + header.size + 2;
  if (topicStart > end) return undefined;
  const topicEnd = topicStart + bytes.readUInt16BE(topicStart - 2);
  const qos = qosOf(header.flags);
  const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
  if (payloadStart > end) return undefined;
  const messageId = qos === 0 ? undefined : bytes.readUInt16BE(topicEnd);
  if (messageId === 0) return undefined;
  const topic = bytes.toString('utf8', topicStart, topicEnd);
  return { topic, qos, messageId, payload: bytes.subarray(payloadStart, end), length: header.length };
}

/** QoS 3 did not pass the header's check. */
function qosOf(flags: number): 0 | 1 | 2 {
  if ((flags & 0x04) !== 0) return 2;
  return (flags & 0x02) !== 0 ? 1 : 0;
}

/** The id of a packet that holds nothing else, such as PUBREL. */
export function packetId({ header, bytes, start }: Packet): number {
  return bytes.readUInt16BE(start + header.size);
}
