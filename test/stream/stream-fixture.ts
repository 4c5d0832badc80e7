import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { NatsConnection } from '@nats-io/nats-core';
import pino from 'pino';
import { connectNats } from '../../src/stream/connection.ts';
import { type JsonObject, objectOf, requestApi, stringOf } from '../../src/stream/jetstream-api.ts';
import { createPublisher, type Publisher, type PublisherOptions } from '../../src/stream/publisher.ts';
import { streamInfo } from '../../src/stream/stream-info.ts';
import { streamName } from '../../src/stream/subjects.ts';
import { ensureTopology, type TopologyOptions } from '../../src/stream/topology.ts';
import { startTestNats, type TestNats } from '../harness/nats.ts';
import { until } from '../harness/until.ts';

export const silent = pino({ level: 'silent' });

export const testTopology: TopologyOptions = {
  streamMaxBytes: 256 * 1024 ** 2,
  streamMaxPerTenant: 1_000_000,
  streamReplicas: 1,
  ackWaitMs: 30_000,
  maxAckPending: 50_000,
  routesMaxBytes: 1024 ** 2,
};

export interface TestStream {
  readonly nats: TestNats;
  readonly nc: NatsConnection;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A nats-server of the test's own with the streams made, and a connection to it. */
export async function startTestStream(
  overrides: Partial<TopologyOptions> = {},
  server: Parameters<typeof startTestNats>[0] = {},
): Promise<TestStream> {
  const nats = await startTestNats(server);
  const nc = await connectNats({ url: nats.url, name: 'test', log: silent });
  await ensureTopology(nc, { ...testTopology, ...overrides });
  return {
    nats,
    nc,
    [Symbol.asyncDispose]: async () => {
      await nc.close();
      await nats[Symbol.asyncDispose]();
    },
  };
}

export function testPublisher(nc: NatsConnection, overrides: Partial<PublisherOptions> = {}): Publisher {
  return createPublisher({
    nc,
    stream: streamName,
    publishTimeoutMs: 10_000,
    maxInFlight: 8_192,
    maxInFlightBytes: 64 * 1024 ** 2,
    log: silent,
    ...overrides,
  });
}

export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly msgId: string;
  readonly text: string;
}

/** Everything that lies in the stream, read message by message. */
export async function storedMessages(
  nc: NatsConnection,
  stream: string = streamName,
): Promise<StoredMessage[]> {
  const { state } = await streamInfo(nc, stream);
  const seqs = Array.from({ length: state.messages }, (_, index) => state.firstSeq + index);
  const stored: StoredMessage[] = [];
  for (let at = 0; at < seqs.length; at += 500) {
    const answers = await Promise.all(
      seqs.slice(at, at + 500).map((seq) => requestApi(nc, `STREAM.MSG.GET.${stream}`, { seq })),
    );
    stored.push(...answers.map((answer) => readStored(objectOf(answer.message))));
  }
  return stored;
}

function readStored(message: JsonObject): StoredMessage {
  const text = (field: unknown) => Buffer.from(stringOf(field), 'base64').toString();
  return {
    seq: Number(message.seq),
    subject: stringOf(message.subject),
    msgId: /Nats-Msg-Id: (.*)\r\n/.exec(text(message.hdrs))?.[1] ?? '',
    text: text(message.data),
  };
}

export const bytes = (text: string) => new TextEncoder().encode(text);

/** Stops a process in its tracks, and waits until every thread of it stands: the signal takes its time. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await until(() => threadStates(pid).every((state) => state === 'T'), { what: `process ${pid} stands` });
}

function threadStates(pid: number): string[] {
  if (!existsSync('/proc/self/task')) {
    return [
      Bun.spawnSync(['ps', '-o', 'state=', '-p', String(pid)])
        .stdout.toString()
        .charAt(0),
    ];
  }
  return readdirSync(`/proc/${pid}/task`).map(
    (thread) => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))?.[1] ?? '',
  );
}
