import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { requestApi } from './jetstream-api.ts';
import { consumerInfo, streamInfo } from './stream-info.ts';

export interface LeftoverWatchOptions {
  readonly nc: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  /** Between two looks; half as much to one and a half, so that workers do not act together. */
  readonly intervalMs?: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly log: Logger;
}

export const leftoverDefaults = { intervalMs: 10_000 } as const;

/** Where the first message lies that the consumer has acknowledged and the stream still holds. */
interface Leftover {
  readonly streamCreated: string;
  readonly consumerCreated: string;
  readonly firstSeq: number;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Looks for messages below the consumer's ack floor. A nats-server that was killed may come back with them: the
 * acks had reached its disk, the removals had not (2.9.10, measured: a fourth of what was acked in the last
 * seconds). A work queue never delivers them again, so they would count as backlog, and against the limits of
 * stream and tenants, for ever. A consumer that is made anew delivers them once more; who claimed them before
 * only acks.
 */
export function startLeftoverWatch(options: LeftoverWatchOptions): { drain(): Promise<void> } {
  const { random, intervalMs = leftoverDefaults.intervalMs } = options;
  const look = createLook(options);
  let stopped = false;
  let looking: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const schedule = () => {
    timer = setTimeout(
      () => {
        looking = look().finally(() => {
          if (!stopped) schedule();
        });
      },
      intervalMs * (0.5 + random()),
    );
  };
  schedule();
  return {
    async drain() {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

/** Acts on what two looks in a row have seen, and once only on the same message. */
function createLook(options: LeftoverWatchOptions): () => Promise<void> {
  const { nc, stream, log } = options;
  let suspect: Leftover | undefined;
  let treated: Leftover | undefined;
  return async () => {
    if (nc.isClosed() || nc.isDraining()) return;
    try {
      const found = await findLeftover(options);
      const seenBefore = isSame(found, suspect) && found?.consumerCreated === suspect?.consumerCreated;
      suspect = found;
      if (found === undefined || !seenBefore || isSame(found, treated)) return;
      treated = found;
      const about = { event: 'stream_leftovers', stream, firstSeq: found.firstSeq };
      log.warn(about, 'acknowledged messages came back with the stream: its consumer is made anew');
      await makeAnew(options, found);
    } catch (error) {
      // NATS is away or busy. A consumer that was deleted and not made is missed by every puller, which makes it.
      log.debug({ event: 'stream_leftovers_unknown', error: String(error) }, 'could not look for leftovers');
    }
  };
}

async function findLeftover({ nc, stream, consumer }: LeftoverWatchOptions): Promise<Leftover | undefined> {
  // In this order: what is acknowledged by now is gone by then.
  const { ackFloorSeq, created: consumerCreated, config } = await consumerInfo(nc, stream, consumer);
  const { state, created: streamCreated } = await streamInfo(nc, stream);
  if (state.messages === 0 || state.firstSeq > ackFloorSeq) return undefined;
  return { streamCreated, consumerCreated, firstSeq: state.firstSeq, config };
}

function isSame(a: Leftover | undefined, b: Leftover | undefined): boolean {
  return a?.streamCreated === b?.streamCreated && a?.firstSeq === b?.firstSeq;
}

async function makeAnew({ nc, stream, consumer }: LeftoverWatchOptions, { config }: Leftover): Promise<void> {
  await requestApi(nc, `CONSUMER.DELETE.${stream}.${consumer}`);
  await requestApi(nc, `CONSUMER.DURABLE.CREATE.${stream}.${consumer}`, { stream_name: stream, config });
}
