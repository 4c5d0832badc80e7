import { withDeadline } from '../lib/deadline.ts';
import { consumerInfo, streamInfo } from '../stream/stream-info.ts';
import { consumerName, streamName } from '../stream/subjects.ts';
import type { Stack } from './stack/stack.ts';

/** How TELEMETRY stands. */
export interface StreamStand {
  readonly lastSeq: number;
  readonly created: string;
  readonly messages: number;
  readonly pending: number;
  readonly ackPending: number;
  /** Deliveries of the consumer so far, repeated ones included. */
  readonly deliveries: number;
}

/** Shorter than the requests' own: one that is sent while the server is away is lost, and nobody would answer. */
const askTimeoutMs = 1_000;

/** @throws Error when NATS does not answer. */
export async function streamStand({ nc }: Pick<Stack, 'nc'>): Promise<StreamStand> {
  const asked = Promise.all([streamInfo(nc, streamName), consumerInfo(nc, streamName, consumerName)]);
  const [stream, consumer] = await withDeadline(asked, askTimeoutMs, () => {
    throw new Error(`NATS did not answer within ${askTimeoutMs} ms`);
  });
  return {
    lastSeq: stream.state.lastSeq,
    created: stream.created,
    messages: stream.state.messages,
    pending: consumer.pending,
    ackPending: consumer.ackPending,
    deliveries: consumer.deliveries,
  };
}

/** When the stream is empty, what has no outcome after this time gets none: nothing is left that could bring it. */
const lateOutcomeMs = 3_000;

const settledText = `
select coalesce(sum(stored + duplicates + quarantined + internal), 0)::float8 as outcomes,
       exists (select from latest_owed) as owes
from ledger`;

export interface SettledOptions {
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly stop: AbortSignal;
}

/**
 * Polls until every sequence that the stream assigned has its outcome, latest values are written and nothing is under way, until nothing can come
 * any more, or until time is up.
 */
export async function whenSettled(
  stack: Pick<Stack, 'nc' | 'pool'>,
  { timeoutMs, now, stop }: SettledOptions,
): Promise<{ readonly settled: boolean; readonly stand: StreamStand | undefined }> {
  const deadline = now() + timeoutMs;
  let stand: StreamStand | undefined;
  let emptySinceMs: number | undefined;
  while (now() < deadline && !stop.aborted) {
    // Either server may just be coming back.
    stand = await streamStand(stack).catch(() => undefined);
    const isIdle = stand?.pending === 0 && stand.ackPending === 0;
    const books = isIdle ? await booksOf(stack) : undefined;
    const isWritten = books?.owes === false;
    if (stand !== undefined && isWritten && books.outcomes >= stand.lastSeq) return { settled: true, stand };
    if (isWritten && stand?.messages === 0) emptySinceMs ??= now();
    else emptySinceMs = undefined;
    if (emptySinceMs !== undefined && now() - emptySinceMs > lateOutcomeMs) return { settled: true, stand };
    await Bun.sleep(20);
  }
  return { settled: false, stand };
}

interface Books {
  readonly outcomes: number;
  /** Whether latest values are still to be written. */
  readonly owes: boolean;
}

async function booksOf({ pool }: Pick<Stack, 'pool'>): Promise<Books | undefined> {
  try {
    const { rows } = await pool.query<Books>(settledText);
    return rows[0];
  } catch {
    return undefined;
  }
}

/** Polls until the stream holds nothing any more, or time is up. @returns how many messages are left. */
export async function whenEmpty(
  stack: Pick<Stack, 'nc'>,
  { timeoutMs, now, stop }: SettledOptions,
): Promise<number> {
  const deadline = now() + timeoutMs;
  let left = Number.NaN;
  while (now() < deadline && !stop.aborted) {
    left = (await streamStand(stack).catch(() => undefined))?.messages ?? left;
    if (left === 0) break;
    await Bun.sleep(50);
  }
  return left;
}
