import type { Way } from './fleet.ts';
import { maxBatchMessages } from './http-senders.ts';
import type { Script, ScriptedMessage } from './script.ts';
import type { Sender } from './senders.ts';
import type { Tally } from './tally.ts';

export interface RunOptions {
  readonly script: Script;
  readonly senders: Readonly<Record<Way, Sender>>;
  readonly tally: Tally;
  /** Messages per second of the whole fleet. */
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Messages without an answer at most; what falls due beyond waits, and the run is behind its rate. */
  readonly maxUnanswered: number;
  /** Milliseconds since the epoch: what devices give as `ts`. */
  readonly clock: () => number;
  /** Milliseconds, monotonic: rate and duration. */
  readonly now: () => number;
  /** Ends the run early. */
  readonly stop: AbortSignal;
  /** Called about once a second. */
  readonly onSecond?: (elapsedMs: number) => void;
}

const tickMs = 20;
/** A batching box sends what it has gathered this often, or when a batch is full. */
const gatherMs = 1_000;

/** Sends what falls due until time is up or told to stop; resolves when every message has its outcome. */
export async function runScript(options: RunOptions): Promise<{ readonly elapsedMs: number }> {
  const { script, tally, clock, now, stop } = options;
  const startedAt = now();
  const open = new Set<Promise<void>>();
  let unanswered = 0;
  let seconds = 0;
  const dispatch = (way: Way, messages: readonly ScriptedMessage[]) => {
    unanswered += messages.length;
    const sending = sendAll(options, way, messages).finally(() => {
      unanswered -= messages.length;
      open.delete(sending);
    });
    open.add(sending);
  };
  const gathered: ScriptedMessage[] = [];
  const hand = (message: ScriptedMessage) => {
    tally.sending(message);
    if (message.device.way !== 'batch') return dispatch(message.device.way, [message]);
    gathered.push(message);
    if (gathered.length === maxBatchMessages) dispatch('batch', gathered.splice(0));
  };
  while (!stop.aborted && now() - startedAt < options.durationMs) {
    const elapsedMs = now() - startedAt;
    const due = Math.ceil((elapsedMs / 1_000) * options.ratePerSecond) - tally.total.sent;
    const allowed = Math.min(due, options.maxUnanswered - unanswered - gathered.length);
    for (let i = 0; i < allowed; i += 1) hand(script.next(clock()));
    if (elapsedMs >= (seconds + 1) * gatherMs) {
      seconds = Math.floor(elapsedMs / gatherMs);
      if (gathered.length > 0) dispatch('batch', gathered.splice(0));
      options.onSecond?.(elapsedMs);
    }
    await Bun.sleep(tickMs);
  }
  if (gathered.length > 0) dispatch('batch', gathered.splice(0));
  await Promise.all(open);
  return { elapsedMs: now() - startedAt };
}

async function sendAll(options: RunOptions, way: Way, messages: readonly ScriptedMessage[]): Promise<void> {
  const sentAt = options.now();
  const outcomes = await options.senders[way].send(messages);
  const durationMs = options.now() - sentAt;
  for (const [index, message] of messages.entries()) {
    options.tally.settle(message, outcomes[index] ?? { result: 'unknown', why: 'no outcome' }, durationMs);
  }
}
