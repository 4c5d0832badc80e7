import type { Logger } from 'pino';
import { type BackoffOptions, backoffMs } from '../lib/backoff.ts';
import type { MessageAbout } from '../observe/message-log.ts';
import { classify, isMissingPartition, sqlstateOf } from '../store/errors.ts';
import type { PulledMessage, Puller } from '../stream/puller.ts';
import { halves, type Plan, type PlanEntry } from './plan.ts';
import { OtherEpochError, type Settle, type Settled } from './settle.ts';
import { aboutOf } from './tell-settled.ts';

export interface SettleLoopOptions {
  readonly puller: Puller;
  readonly plan: (messages: readonly PulledMessage[]) => Promise<Plan[]>;
  readonly settle: Settle;
  /** Plans again what was taken for the wrong epoch. */
  readonly replan: (plan: Plan, error: OtherEpochError) => Promise<Plan[]>;
  /** Told after COMMIT and ack. */
  readonly onSettled: (settled: readonly Settled[]) => void;
  /** Told of each attempt that failed and is made again. */
  readonly onRetry?: () => void;
  /** Batches settled at once, so that PostgreSQL and the worker overlap. */
  readonly lanes: number;
  readonly ackWaitMs: number;
  readonly random: () => number;
  readonly log: Logger;
}

export const settleLoopDefaults = {
  retry: { baseMs: 50, maxMs: 3_000 } satisfies BackoffOptions,
  /** What is given back comes again after this time, spread over as much more. */
  giveBackMs: 1_000,
  /**
   * A restored stream takes one new plan, two workers that meet it at once another. More of them only a stream that gives one
   * number to several messages in turn, as replicas do that have drifted apart: each would open an epoch.
   */
  maxReplans: 3,
} as const;

export interface SettleLoop {
  /** Resolves when all lanes have ended, after the puller stopped; rejects with the error that no retry mends. */
  readonly done: Promise<void>;
  /** Stops pulling and settles what is in hand; what cannot be settled within the time is given back. */
  drain(deadlineMs: number): Promise<void>;
}

/** Pulls batches and settles them, each until it is done: an outage delays, it never loses or quarantines. */
export function startSettleLoop(options: SettleLoopOptions): SettleLoop {
  const abandoned = new AbortController();
  const done = Promise.all(
    Array.from({ length: options.lanes }, () => runLane(options, abandoned.signal)),
  ).then(() => undefined);
  return {
    done,
    async drain(deadlineMs) {
      const deadline = setTimeout(() => abandoned.abort(), deadlineMs);
      await options.puller.stop();
      await done;
      clearTimeout(deadline);
    },
  };
}

async function runLane(options: SettleLoopOptions, abandoned: AbortSignal): Promise<void> {
  const { puller, ackWaitMs } = options;
  for (let batch = await puller.next(); batch !== undefined; batch = await puller.next()) {
    const stillAtWork = extendAckWait(batch, ackWaitMs);
    try {
      await settleBatch(batch, options, abandoned);
    } catch (error) {
      giveBack(batch, options);
      throw error;
    } finally {
      clearInterval(stillAtWork);
    }
  }
}

/** A long batch, or one that waits for PostgreSQL, must not be delivered to another worker meanwhile. */
function extendAckWait(batch: readonly PulledMessage[], ackWaitMs: number): NodeJS.Timeout {
  return setInterval(() => {
    for (const message of batch) message.working();
  }, ackWaitMs / 3);
}

async function settleBatch(
  batch: readonly PulledMessage[],
  options: SettleLoopOptions,
  abandoned: AbortSignal,
): Promise<void> {
  const about = () => ({ messages: batch.length, seq: batch[0]?.seq, lastSeq: batch.at(-1)?.seq });
  const plans = await untilDone(() => options.plan(batch), { ...options, about }, abandoned);
  if (plans === undefined) return giveBack(batch, options);
  for (const plan of plans) await settlePlan(plan, options, abandoned);
}

/** Settles a plan, or halves it until the message that the database refuses stands alone. */
async function settlePlan(
  plan: Plan,
  options: SettleLoopOptions,
  abandoned: AbortSignal,
  replans = 0,
): Promise<void> {
  try {
    const settled = await untilDone(
      () => options.settle(plan),
      { ...options, about: firstOf(plan) },
      abandoned,
    );
    if (settled === undefined) return giveBack(messagesOf(plan), options);
    for (const { entry } of settled) entry.message.ack();
    options.onSettled(settled);
  } catch (error) {
    if (error instanceof OtherEpochError) return settleAgain(plan, error, options, abandoned, replans);
    if (classify(error) !== 'row') throw error;
    await settleApart(plan, error, options, abandoned, replans);
  }
}

async function settleAgain(
  plan: Plan,
  error: OtherEpochError,
  options: SettleLoopOptions,
  abandoned: AbortSignal,
  replans: number,
): Promise<void> {
  if (replans >= settleLoopDefaults.maxReplans) {
    const about = { event: 'stream_numbers_conflict', messages: plan.entries.length, ...firstOf(plan)() };
    options.log.error(
      about,
      'the stream gives one number to several messages in turn: they are tried again later',
    );
    return giveBack(messagesOf(plan), options);
  }
  const about = firstOf(plan);
  const plans = await untilDone(() => options.replan(plan, error), { ...options, about }, abandoned);
  if (plans === undefined) return giveBack(messagesOf(plan), options);
  for (const part of plans) await settlePlan(part, options, abandoned, replans + 1);
}

/**
 * The database refused something other than a telemetry row (those are isolated inside the transaction), and
 * does not say whose it was.
 */
async function settleApart(
  plan: Plan,
  error: unknown,
  options: SettleLoopOptions,
  abandoned: AbortSignal,
  replans: number,
): Promise<void> {
  const [only] = plan.entries;
  if (plan.entries.length > 1 || only === undefined) {
    for (const half of halves(plan)) await settlePlan(half, options, abandoned, replans);
    return;
  }
  // Not even its barest row: a person has to look.
  if (only.bare) throw error;
  refuse(only, error);
  await settlePlan(plan, options, abandoned, replans);
}

/**
 * Tries again while the error speaks of the server. Undefined: abandoned before it succeeded; an attempt that a
 * frozen server holds up may then still commit, which the claim shows to whoever gets the messages next.
 */
async function untilDone<T>(
  work: () => Promise<T>,
  { random, log, onRetry, about }: SettleLoopOptions & { readonly about: () => MessageAbout },
  abandoned: AbortSignal,
): Promise<T | undefined> {
  for (let attempt = 0; !abandoned.aborted; attempt += 1) {
    try {
      return await unlessAborted(work(), abandoned);
    } catch (error) {
      if (classify(error) !== 'retry' && !isMissingPartition(error)) throw error;
      onRetry?.();
      const delayMs = backoffMs(attempt, settleLoopDefaults.retry, random);
      log.warn(
        {
          event: 'settle_retry',
          attempt,
          delayMs,
          sqlstate: sqlstateOf(error),
          error: String(error),
          ...about(),
        },
        'settling failed; the same batch is tried again',
      );
      await pause(delayMs, abandoned);
    }
  }
  return undefined;
}

function refuse(entry: PlanEntry, error: unknown): void {
  entry.bare = entry.refused !== undefined;
  const sqlstate = sqlstateOf(error);
  entry.refused = {
    reason: 'STORE_REJECTED',
    detail: `the database refused the message with SQLSTATE ${sqlstate ?? 'unknown'}`,
    ...(sqlstate === undefined ? {} : { sqlstate }),
  };
}

/** With a delay, and jitter: a nak without one comes back at once. What was acked already stays acked. */
function giveBack(messages: readonly PulledMessage[], { random }: SettleLoopOptions): void {
  const { giveBackMs } = settleLoopDefaults;
  for (const message of messages) message.nak(giveBackMs + Math.round(random() * giveBackMs));
}

/** How many are tried again, and which is the first of them. */
function firstOf({ entries }: Plan): () => MessageAbout {
  return () => {
    const [first] = entries;
    const lastSeq = entries.at(-1)?.message.seq;
    return { messages: entries.length, lastSeq, ...(first === undefined ? {} : aboutOf(first)) };
  };
}

function messagesOf({ entries }: Plan): PulledMessage[] {
  return entries.map(({ message }) => message);
}

/** A listener that goes with its attempt: a race against one promise for all would keep every attempt alive. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}
