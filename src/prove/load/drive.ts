import { backoffMs } from '../../lib/backoff.ts';
import type { Journal } from '../journal.ts';
import { type Door, type ProveMessage, pick } from './message.ts';
import type { Sender } from './sender.ts';

export interface DriveOptions {
  readonly senders: Readonly<Record<Door, Sender>>;
  /** Those that there are. */
  readonly doors: readonly Door[];
  readonly journal: Journal;
  readonly random: () => number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Ends it early. */
  readonly stop: AbortSignal;
}

const retry = { baseMs: 20, maxMs: 1_000 } as const;
/** Parcels without their yes at most; what comes after them waits. A fleet that only retries would be a fault of its own. */
const maxOpenParcels = 300;
const batchSizes = { min: 2, max: 60 } as const;
const resentShare = 0.1;

/** Messages that go out together at their time. */
interface Parcel {
  readonly atMs: number;
  readonly door: Door;
  readonly messages: readonly ProveMessage[];
}

export interface Load {
  /** Resolves when every message has got its yes, or after `giveUp`. */
  readonly done: Promise<void>;
  /** What has no yes by then is not tried again. */
  giveUp(): void;
}

/**
 * Sends the messages spread evenly over the duration, and each of them under the same identity again and again until it
 * gets a yes.
 */
export function startLoad(
  messages: readonly ProveMessage[],
  durationMs: number,
  options: DriveOptions,
): Load {
  const { now, stop } = options;
  const startedMs = now();
  const patience = new AbortController();
  const ended = AbortSignal.any([stop, patience.signal]);
  const parcels = makeParcels(messages, durationMs, options.random);
  const work = (async () => {
    const open = new Set<Promise<void>>();
    for (const parcel of parcels) {
      const waitMs = startedMs + parcel.atMs - now();
      // Timers are coarse: what is due within a millisecond goes out together.
      if (waitMs > 1) await Bun.sleep(waitMs);
      while (open.size >= maxOpenParcels) await Promise.race(open);
      if (ended.aborted) break;
      const delivery = deliver(parcel, options, ended).finally(() => open.delete(delivery));
      open.add(delivery);
    }
    await Promise.all(open);
  })();
  return { done: work, giveUp: () => patience.abort() };
}

/** Sends some of the messages that have their yes once more, at any door: they are the same messages. */
export async function resendSome(
  messages: readonly ProveMessage[],
  options: DriveOptions,
  giveUp: AbortSignal,
) {
  const { random, journal } = options;
  const known = messages.filter(
    (message) => message.class !== 'none' && (journal.entries.get(message.n)?.yes ?? 0) > 0,
  );
  const chosen = known.filter(() => random() < resentShare);
  const ended = AbortSignal.any([options.stop, giveUp]);
  await Promise.all(
    chosen.map((message) =>
      deliver({ atMs: 0, door: pick(options.doors, random), messages: [message] }, options, ended),
    ),
  );
}

function makeParcels(messages: readonly ProveMessage[], durationMs: number, random: () => number): Parcel[] {
  const parcels: Parcel[] = [];
  let batch: ProveMessage[] = [];
  let batchSize = batchSizes.min;
  const closeBatch = (atMs: number) => {
    if (batch.length > 0) parcels.push({ atMs, door: 'batch', messages: batch });
    batch = [];
    batchSize = batchSizes.min + Math.floor(random() * (batchSizes.max - batchSizes.min + 1));
  };
  for (const [index, message] of messages.entries()) {
    const atMs = (durationMs * index) / messages.length;
    if (message.door !== 'batch') parcels.push({ atMs, door: message.door, messages: [message] });
    else if (batch.push(message) >= batchSize) closeBatch(atMs);
  }
  closeBatch(durationMs);
  return parcels;
}

async function deliver({ door, messages }: Parcel, options: DriveOptions, ended: AbortSignal): Promise<void> {
  const { senders, journal, random, now } = options;
  let left = messages;
  for (let attempt = 0; left.length > 0; attempt += 1) {
    if (attempt > 0) await Bun.sleep(backoffMs(attempt, retry, random));
    if (ended.aborted) return;
    const startedMs = now();
    const outcomes = await senders[door].send(left, attempt);
    const span = { startedMs, endedMs: now() };
    left = left.filter((message, index) => {
      const outcome = outcomes[index] ?? { answer: 'unknown', why: 'no outcome' };
      journal.record(message, outcome, span);
      return outcome.answer !== 'yes';
    });
  }
}
