import { createInbox, type NatsConnection } from '@nats-io/nats-core';
import { objectOf, requestApi, stringOf } from '../../src/stream/jetstream-api.ts';

export interface Snapshot {
  /** Deletes the stream as it is and puts the snapshot in its place, as `nats stream restore` does. */
  restore(): Promise<void>;
}

/** A snapshot of a stream with its consumers, as `nats stream backup` takes it. */
export async function takeSnapshot(nc: NatsConnection, stream: string): Promise<Snapshot> {
  const inbox = createInbox();
  const chunks: Uint8Array[] = [];
  const subscription = nc.subscribe(inbox);
  const answer = await requestApi(nc, `STREAM.SNAPSHOT.${stream}`, {
    deliver_subject: inbox,
    chunk_size: 64 * 1024,
  });
  for await (const message of subscription) {
    if (message.data.length === 0) break;
    chunks.push(message.data.slice());
    message.respond();
  }
  subscription.unsubscribe();
  return {
    async restore() {
      await requestApi(nc, `STREAM.DELETE.${stream}`);
      const { config, state } = answer;
      const restoring = await requestApi(nc, `STREAM.RESTORE.${stream}`, { config, state });
      const target = stringOf(restoring.deliver_subject);
      for (const chunk of chunks) await nc.request(target, chunk, { timeout: 5_000 });
      const restored = (await nc.request(target, '', { timeout: 5_000 })).json<unknown>();
      const { error } = objectOf(restored);
      if (error !== undefined) throw new Error(`not restored: ${JSON.stringify(error)}`);
    },
  };
}
