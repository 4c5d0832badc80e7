import type { NatsConnection } from '@nats-io/nats-core';
import { objectOf, requestApi, stringOf } from '../../stream/jetstream-api.ts';
import { streamInfo } from '../../stream/stream-info.ts';
import { jobIdOf, type ReceivedJobs } from './receiver.ts';

/** A stream on the subjects that routes publish to: what it has acknowledged is delivered. */
export interface StreamReceiver {
  /** Writes down what came since the last time. */
  read(): Promise<void>;
}

const streamName = 'PROVED';

export async function createStreamReceiver(
  nc: NatsConnection,
  jobs: ReceivedJobs,
  replicas: number,
): Promise<StreamReceiver> {
  await requestApi(nc, `STREAM.CREATE.${streamName}`, {
    name: streamName,
    subjects: ['out.>'],
    storage: 'file',
    retention: 'limits',
    num_replicas: replicas,
  });
  let read = 0;
  return {
    read: async () => {
      // Nothing leaves it, so its numbers have no gap.
      const { state } = await streamInfo(nc, streamName);
      while (read < state.lastSeq) {
        const { msgId, body } = await getMessage(nc, read + 1);
        jobs.came(jobIdOf(JSON.parse(body)), msgId, body).yes += 1;
        read += 1;
      }
    },
  };
}

async function getMessage(nc: NatsConnection, seq: number): Promise<{ msgId: string; body: string }> {
  const { message } = await requestApi(nc, `STREAM.MSG.GET.${streamName}`, { seq });
  const { hdrs, data } = objectOf(message);
  const headers = Buffer.from(stringOf(hdrs), 'base64').toString();
  return {
    msgId: /^Nats-Msg-Id: *(.*?)\r?$/m.exec(headers)?.[1] ?? '',
    body: Buffer.from(stringOf(data), 'base64').toString(),
  };
}
