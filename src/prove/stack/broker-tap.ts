import type { Socket } from 'node:net';
import { type Packet, parser } from 'mqtt-packet';

/** What passed between the broker and the bridges, seen on the wire. */
export interface BrokerTap {
  /** For each connection of a bridge, before anything has passed. */
  watch(bridge: Socket, broker: Socket): void;
  /** Whether a bridge has acknowledged this message to the broker, on any connection: it says that JetStream has it. */
  hasAcknowledged(n: number): boolean;
  /** Whether the broker has sent it to a bridge. */
  hasDelivered(n: number): boolean;
  /** When the broker confirmed a subscription for the first time after this moment. */
  subscribedAfter(ms: number): number | undefined;
}

/** Messages are known by the number that `prove` gives each. @param now milliseconds, monotonic */
export function createBrokerTap(now: () => number): BrokerTap {
  const acknowledged = new Set<number>();
  const delivered = new Set<number>();
  const subscribedAtMs: number[] = [];
  return {
    watch: (bridge, broker) => {
      const underWay = new Map<number, number>();
      listen(broker, (packet) => {
        if (packet.cmd === 'suback') subscribedAtMs.push(now());
        if (packet.cmd !== 'publish' || packet.messageId === undefined) return;
        const n = numbersIn(packet.payload)[0];
        if (n === undefined) return;
        delivered.add(n);
        underWay.set(packet.messageId, n);
      });
      listen(bridge, (packet) => {
        if (packet.cmd !== 'puback' || packet.messageId === undefined) return;
        const n = underWay.get(packet.messageId);
        if (n !== undefined) acknowledged.add(n);
      });
    },
    hasAcknowledged: (n) => acknowledged.has(n),
    hasDelivered: (n) => delivered.has(n),
    subscribedAfter: (ms) => subscribedAtMs.find((atMs) => atMs > ms),
  };
}

function listen(socket: Socket, onPacket: (packet: Packet) => void): void {
  const packets = parser({ protocolVersion: 5 });
  packets.on('packet', onPacket);
  // A packet that is cut off by the end of the connection has not passed.
  packets.on('error', () => undefined);
  socket.on('data', (bytes) => void packets.parse(Buffer.from(bytes)));
}

/** The numbers of all messages whose payloads are in these bytes. */
export function numbersIn(bytes: Uint8Array | string): number[] {
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1');
  return [...text.matchAll(/"metrics":\{"n":(\d+)[,}]/g)].map(([, digits]) => Number(digits));
}
