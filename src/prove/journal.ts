import type { ProveMessage } from './load/message.ts';
import type { SendOutcome } from './load/sender.ts';

/** What was sent under which identity, and what was answered. */
export interface JournalEntry {
  readonly message: ProveMessage;
  attempts: number;
  /** Of the first attempt, on the monotonic clock. */
  firstStartedMs: number;
  yes: number;
  /** When the last of them came, on the monotonic clock. */
  lastYesMs: number | undefined;
  no: number;
  unknown: number;
  /** Of the last attempt that got no yes. */
  lastWhy: string | undefined;
  /** When the last attempt ended, ms since the epoch. */
  lastEndedAtMs: number;
}

/** Of one attempt, on the monotonic clock. */
export interface Span {
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface Journal {
  readonly entries: ReadonlyMap<number, JournalEntry>;
  record(message: ProveMessage, outcome: SendOutcome, span: Span): void;
  /** Answers that the contract does not have, each once. */
  readonly outOfContract: ReadonlySet<string>;
  /** Messages with at least one yes. */
  readonly answered: number;
  /** Attempts whose outcome nobody knows. */
  readonly unknown: number;
  /** The longest wait for a yes, in ms. */
  readonly worstYesMs: number;
  /**
   * Resolves with the time from now to the first yes to a message that is sent for the first time after now, at one of
   * these doors. An older one may get its yes for having been stored before.
   */
  firstYes(doors: readonly ProveMessage['door'][]): { readonly afterMs: number | undefined };
}

/** Enough to know them by. */
const maxOddAnswers = 20;

export function createJournal(now: () => number, wallClock: () => number): Journal {
  const entries = new Map<number, JournalEntry>();
  const odd = new Set<string>();
  const totals = { answered: 0, unknown: 0, worstYesMs: 0 };
  let watches: { since: number; doors: readonly string[]; afterMs: number | undefined }[] = [];
  const sawYes = ({ message, firstStartedMs }: JournalEntry, { startedMs, endedMs }: Span) => {
    totals.worstYesMs = Math.max(totals.worstYesMs, endedMs - startedMs);
    for (const watch of watches) {
      if (firstStartedMs > watch.since && watch.doors.includes(message.door))
        watch.afterMs = endedMs - watch.since;
    }
    watches = watches.filter(({ afterMs }) => afterMs === undefined);
  };
  return {
    entries,
    outOfContract: odd,
    record: (message, { answer, why, outOfContract }, span) => {
      if (outOfContract !== undefined && odd.size < maxOddAnswers) odd.add(outOfContract);
      const entry = entries.get(message.n) ?? newEntry(message, span);
      entries.set(message.n, entry);
      entry.attempts += 1;
      entry.lastEndedAtMs = wallClock();
      if (answer === 'yes' && entry.yes === 0) totals.answered += 1;
      if (answer === 'unknown') totals.unknown += 1;
      entry[answer] += 1;
      if (answer === 'yes') {
        entry.lastYesMs = span.endedMs;
        sawYes(entry, span);
      } else entry.lastWhy = why;
    },
    get answered() {
      return totals.answered;
    },
    get unknown() {
      return totals.unknown;
    },
    get worstYesMs() {
      return totals.worstYesMs;
    },
    firstYes: (doors) => {
      const watch = { since: now(), doors, afterMs: undefined };
      watches.push(watch);
      return watch;
    },
  };
}

function newEntry(message: ProveMessage, { startedMs }: Span): JournalEntry {
  return {
    message,
    attempts: 0,
    firstStartedMs: startedMs,
    yes: 0,
    lastYesMs: undefined,
    no: 0,
    unknown: 0,
    lastWhy: undefined,
    lastEndedAtMs: 0,
  };
}
