import type { RawMessage, Rejection, Verdict } from '../model/verdict.ts';
import type { PulledMessage } from '../stream/puller.ts';
import type { Decoded } from './decoded.ts';
import type { EpochOf } from './epochs.ts';
import type { Charged } from './rate-limiter.ts';
import type { Decided } from './routing/route-decision.ts';

/** One message on its way to its outcome: pulled from the stream, or replayed out of the quarantine. */
export interface Entry extends Decided {
  readonly message: RawMessage;
  readonly decoded: Decoded;
  /**
   * What the limiter said, asked once for all attempts: a transaction that is tried again does not charge
   * again. `undefined`: not asked yet.
   */
  charged: Charged | undefined;
}

/** One message of a batch. */
export interface PlanEntry extends Entry {
  readonly message: PulledMessage;
  /** Set when the database refused the message in an earlier attempt, other than in the telemetry insert. */
  refused: Rejection | undefined;
  /** The verdict, and the registry's version that it goes by. Absent: not judged yet. */
  judged?: { readonly verdict: Verdict; readonly registryVersion: number };
  /** Refused again, as a quarantine row: only what every database takes is kept of it, and its bytes. */
  bare?: boolean;
  /** Whether the quarantine has room for it, asked once for all attempts. Absent: not asked yet. */
  kept?: boolean;
}

/** Messages of one epoch that are settled in one transaction, each sequence once. */
export interface Plan {
  readonly epoch: number;
  readonly entries: PlanEntry[];
}

/**
 * Plans a batch: nearly always one plan. Messages that cannot share a transaction's claim, being of another
 * epoch or under a sequence that the plan already holds, go into a plan of their own.
 */
export function createPlans(
  messages: readonly PulledMessage[],
  decode: (message: PulledMessage) => Decoded,
  epochOf: EpochOf,
): Promise<Plan[]> {
  const entries = messages.map(
    (message): PlanEntry => ({ message, decoded: decode(message), charged: undefined, refused: undefined }),
  );
  return planEntries(entries, epochOf);
}

/** The same for entries that were in a plan before: what they were charged stays. */
export async function planEntries(entries: readonly PlanEntry[], epochOf: EpochOf): Promise<Plan[]> {
  const plans: (Plan & { readonly seqs: Set<number> })[] = [];
  for (const entry of entries) {
    const { message } = entry;
    const found = epochOf(message);
    // To wait for what is there costs a turn for each message.
    const epoch = typeof found === 'number' ? found : await found;
    let plan = plans.find((other) => other.epoch === epoch && !other.seqs.has(message.seq));
    if (plan === undefined) {
      plan = { epoch, entries: [], seqs: new Set() };
      plans.push(plan);
    }
    plan.seqs.add(message.seq);
    plan.entries.push(entry);
  }
  return plans;
}

/** Two halves of a plan of at least two entries. */
export function halves({ epoch, entries }: Plan): [Plan, Plan] {
  const middle = entries.length >> 1;
  return [
    { epoch, entries: entries.slice(0, middle) },
    { epoch, entries: entries.slice(middle) },
  ];
}

/** What became of one message. `claimed before`: it had its outcome in an earlier transaction. */
export type Outcome = 'stored' | 'duplicate' | 'quarantined' | 'internal' | 'claimed before';

/** A claimed entry in one attempt. `open`: accepted by its verdict, the store has not decided yet. */
export interface Claimed<E extends Entry = Entry> {
  readonly entry: E;
  verdict: Verdict;
  outcome: Exclude<Outcome, 'claimed before'> | 'open';
}

export function claimed<E extends Entry>(entry: E, verdict: Verdict): Claimed<E> {
  const outcome = { accept: 'open', quarantine: 'quarantined', internal: 'internal' } as const;
  return { entry, verdict, outcome: outcome[verdict.outcome] };
}

export function quarantine(message: Claimed, rejection: Rejection): void {
  message.verdict = { outcome: 'quarantine', rejection };
  message.outcome = 'quarantined';
}
