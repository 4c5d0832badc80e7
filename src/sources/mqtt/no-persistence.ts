import { Readable } from 'node:stream';

/** The parts of aedes' clients and packets that are asked about here. */
interface KnownClient {
  readonly conn: object;
}
interface KnownPacket {
  readonly messageId?: number;
}

/**
 * Ids of QoS 2 publishes of one connection that await PUBREL. Kept by the session, because aedes asks its
 * store only after the publish was authorized, and thus ingested.
 */
export type UnreleasedIds = (connection: object) => Set<number> | undefined;

/**
 * What aedes asks a store for, answered by one that keeps nothing: no retained messages, no sessions, no
 * wills, no queue for anybody who is offline. The memory of a listener then depends on its open connections
 * alone. The durable store is JetStream.
 */
export function createNoPersistence(unreleased: UnreleasedIds) {
  const has = (client: KnownClient, packet: KnownPacket) =>
    packet.messageId !== undefined && unreleased(client.conn)?.has(packet.messageId) === true;
  return {
    async setup() {},
    async storeRetained() {},
    createRetainedStream: () => Readable.from([]),
    createRetainedStreamCombi: () => Readable.from([]),
    async addSubscriptions() {},
    async removeSubscriptions() {},
    subscriptionsByClient: async () => [],
    countOffline: async () => ({ subsCount: 0, clientsCount: 0 }),
    subscriptionsByTopic: async () => [],
    async cleanSubscriptions() {},
    async outgoingEnqueue() {},
    async outgoingEnqueueCombi() {},
    async outgoingUpdate() {},
    outgoingClearMessageId: async (_client: KnownClient, packet: KnownPacket) => packet,
    outgoingStream: () => Readable.from([]),
    /** Found: aedes answers PUBREC and does not publish, which is right for what has been ingested. */
    incomingGetPacket: async (client: KnownClient, packet: KnownPacket) => {
      if (!has(client, packet)) throw new Error(`no QoS 2 publish ${packet.messageId} awaits PUBREL`);
      return packet;
    },
    async incomingStorePacket() {},
    incomingDelPacket: async (client: KnownClient, packet: KnownPacket) => {
      if (packet.messageId !== undefined) unreleased(client.conn)?.delete(packet.messageId);
    },
    async cleanIncoming() {},
    async putWill() {},
    getWill: async () => undefined,
    delWill: async () => undefined,
    streamWill: () => Readable.from([]),
    getClientList: () => Readable.from([]),
    async destroy() {},
  };
}
