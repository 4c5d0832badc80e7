import { checkBooks } from './check/check-books.ts';
import { checkMessages } from './check/check-messages.ts';
import type { Forgotten } from './check/forgotten.ts';
import { readRows } from './check/rows.ts';
import type { Fault } from './faults/fault.ts';
import { createJournal, type Journal, type JournalEntry } from './journal.ts';
import { createBatchSender } from './load/batch.ts';
import { type DriveOptions, type Load, resendSome, startLoad } from './load/drive.ts';
import { createHttpSender } from './load/http.ts';
import { identityOf, type ProveMessage } from './load/message.ts';
import { createMqttSender } from './load/mqtt.ts';
import type { RouteProof } from './routes/route-proof.ts';
import type { Strike } from './schedule.ts';
import { streamStand, whenSettled } from './settled.ts';
import type { Stack } from './stack/stack.ts';
import type { Violation } from './violation.ts';

export interface TrialOptions {
  readonly stack: Stack;
  /** Undefined: nothing is routed. */
  readonly routes: RouteProof | undefined;
  readonly trial: number;
  readonly seed: number;
  readonly messages: readonly ProveMessage[];
  readonly durationMs: number;
  readonly strikes: readonly Strike[];
  /** Numbers for the load (1) and for the nth fault (1 + n). */
  readonly randomFor: (purpose: number) => () => number;
  readonly now: () => number;
  readonly wallClock: () => number;
  readonly stop: AbortSignal;
}

/** What one fault did. */
export interface FaultResult {
  readonly name: string;
  readonly note: string;
  /** From the strike to the first yes of an attempt that began after it, at a door that it shuts; in ms. */
  readonly firstYesMs: number | undefined;
  /** From the strike until the stream had another leader; in ms. Only of faults that strike at a cluster. */
  readonly electedMs: number | undefined;
  /** From the strike until everything was answered and settled; in ms. Only where it was the trial's one fault. */
  readonly settledMs: number | undefined;
}

export interface TrialResult {
  readonly trial: number;
  readonly seed: number;
  readonly faults: readonly FaultResult[];
  readonly messages: number;
  readonly answered: number;
  readonly stored: number;
  readonly quarantined: number;
  /** What a killed broker had acknowledged and not yet written. */
  readonly forgotten: readonly Forgotten[];
  readonly unknown: number;
  readonly redeliveries: number;
  readonly worstYesMs: number;
  readonly durationMs: number;
  readonly violations: readonly Violation[];
}

const arrivalPollMs = 100;

export const trialDefaults = {
  /** How long after the last fault nothing may move: no message gets its yes, or settling does not end. */
  patienceMs: 60_000,
} as const;

/** Load, faults, settling, check. Throws only when the stack cannot be looked at any more. */
export async function runTrial(options: TrialOptions): Promise<TrialResult & { entries: JournalEntry[] }> {
  const { stack, messages, now, wallClock, stop } = options;
  const startedMs = now();
  const before = await streamStand(stack);
  const journal = createJournal(now, wallClock);
  const senders = {
    http: createHttpSender(stack.httpUrls),
    batch: createBatchSender(stack.httpUrls),
    mqtt: createMqttSender(stack.mqttUrls, stack.broker === undefined),
  };
  const drive: DriveOptions = {
    senders,
    doors: stack.doors,
    journal,
    random: options.randomFor(1),
    now,
    stop,
  };
  const complaints: Violation[] = [];
  const load = startLoad(messages, options.durationMs, drive);
  const struck = await strikeAll(options, journal, complaints);
  await whileItMoves(load, journal);
  const giveUp = AbortSignal.timeout(trialDefaults.patienceMs);
  await resendSome(messages, drive, giveUp);
  await Promise.all(Object.values(senders).map((sender) => sender.close()));
  await whenArrived(stack, journal, { firstN: messages[0]?.n ?? 0, now, stop });
  const { settled, stand } = await whenSettled(stack, { timeoutMs: trialDefaults.patienceMs, now, stop });
  const settledMs = now();
  if (!settled && !stop.aborted) complaints.push(notSettled(stand));
  const entries = [...journal.entries.values()];
  const unsent = messages.length - entries.length;
  if (unsent > 0 && !stop.aborted)
    complaints.push({ kind: 'stuck', what: `${unsent} messages were never sent` });
  for (const what of journal.outOfContract) complaints.push({ kind: 'answer', what });
  const rows = await readRows(stack.pool, messages[0]?.n ?? 0);
  const { violations, counts, forgotten } = checkMessages(entries, rows, stack.broker);
  const after = stand ?? before;
  const books = settled ? await checkBooks(stack, keyedIdentities(messages)) : [];
  const routed = (await options.routes?.check({ timeoutMs: trialDefaults.patienceMs, now, stop })) ?? [];
  const crashed = stack.takeCrashes().map((what): Violation => ({ kind: 'crashed', what }));
  const isOnly = struck.length === 1;
  return {
    trial: options.trial,
    seed: options.seed,
    faults: struck.map(({ name, notes, atMs, recovery, electedMs }) => ({
      name,
      note: notes.join('; '),
      firstYesMs: recovery.afterMs,
      electedMs,
      settledMs: isOnly && settled ? settledMs - atMs : undefined,
    })),
    messages: messages.length,
    answered: journal.answered,
    ...counts,
    forgotten,
    unknown: journal.unknown,
    redeliveries: Math.max(0, after.deliveries - before.deliveries - (after.lastSeq - before.lastSeq)),
    worstYesMs: journal.worstYesMs,
    durationMs: now() - startedMs,
    // Interrupted, nothing had the time that it needs.
    violations: stop.aborted ? crashed : [...violations, ...books, ...routed, ...complaints, ...crashed],
    entries,
  };
}

interface Struck {
  readonly name: string;
  readonly notes: string[];
  atMs: number;
  recovery: ReturnType<Journal['firstYes']>;
  electedMs: number | undefined;
}

/** Lets the faults strike at their times, one strike after the other; resolves when all have healed. */
async function strikeAll(
  options: TrialOptions,
  journal: Journal,
  complaints: Violation[],
): Promise<Struck[]> {
  const { stack, strikes, now, stop } = options;
  const startedMs = now();
  const struck: Struck[] = [];
  const strike = async (fault: Fault) => {
    const notes: string[] = [];
    const one: Struck = {
      name: fault.name,
      notes,
      atMs: now(),
      recovery: journal.firstYes(fault.doors),
      electedMs: undefined,
    };
    struck.push(one);
    await fault.strike({
      stack,
      elected: (afterMs) => {
        one.electedMs ??= afterMs;
      },
      strikesNow: () => Object.assign(one, { atMs: now(), recovery: journal.firstYes(fault.doors) }),
      random: options.randomFor(1 + struck.length),
      note: (what) => void notes.push(what),
      complain: (what) => void complaints.push({ kind: 'crashed', what }),
    });
  };
  for (const { atMs, faults } of strikes) {
    const waitMs = startedMs + atMs - now();
    if (waitMs > 0) await Bun.sleep(waitMs);
    if (stop.aborted) break;
    await Promise.all(faults.map(strike));
  }
  return struck;
}

/** Waits for the load as long as messages get their yes, however slowly: a stream that is small, or was full, takes few. */
async function whileItMoves(load: Load, journal: Journal): Promise<void> {
  let answered = journal.answered;
  const timer = setInterval(() => {
    if (journal.answered === answered) load.giveUp();
    answered = journal.answered;
  }, trialDefaults.patienceMs);
  await load.done.finally(() => clearInterval(timer));
}

/** A broker answers before a bridge has the message: waits until all that it promised are rows, or time is up. */
async function whenArrived(
  { pool, broker }: Pick<Stack, 'pool' | 'broker'>,
  { entries }: Journal,
  { firstN, now, stop }: Pick<TrialOptions, 'now' | 'stop'> & { readonly firstN: number },
): Promise<void> {
  if (broker === undefined) return;
  const deadline = now() + trialDefaults.patienceMs;
  while (now() < deadline && !stop.aborted) {
    const rows = await readRows(pool, firstN);
    const { violations } = checkMessages([...entries.values()], rows, broker);
    if (violations.every(({ kind }) => kind !== 'lost')) return;
    await Bun.sleep(arrivalPollMs);
  }
}

function notSettled(stand: Awaited<ReturnType<typeof whenSettled>>['stand']): Violation {
  const how =
    stand === undefined
      ? 'NATS does not answer'
      : `${stand.messages} messages in the stream, ${stand.pending} pending, ${stand.ackPending} under way`;
  return { kind: 'stuck', what: `not settled ${trialDefaults.patienceMs / 1_000} s after the load: ${how}` };
}

function keyedIdentities(messages: readonly ProveMessage[]): string[] {
  return messages.flatMap((message) =>
    message.key === undefined || message.destiny !== 'stored' ? [] : (identityOf(message) ?? []),
  );
}
