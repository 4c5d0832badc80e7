import { Readable } from 'node:stream';

interface KnownPacket {
  readonly messageId?: number;
}

/**
 * What aedes asks a store for, answered by one that keeps nothing: no retained messages, no sessions, no
 * wills, no queue for anybody who is offline. The memory of a listener then depends on its open connections
 * alone. The durable store is JetStream.
 */
export function createNoPersistence() {
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
    outgoingClearMessageId: async (_client: unknown, packet: KnownPacket) => packet,
    outgoingStream: () => Readable.from([]),
    async cleanIncoming() {},
    async putWill() {},
    getWill: async () => undefined,
    delWill: async () => undefined,
    streamWill: () => Readable.from([]),
    getClientList: () => Readable.from([]),
    async destroy() {},
  };
}
