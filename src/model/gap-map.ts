import { createRun, type MissingRange, type Numbered, type Run } from './gap-run.ts';

export type { MissingRange, Numbered } from './gap-run.ts';

/** The counter began again: its highest number before, and the one it went on from. */
export interface Restart {
  readonly timeUs: number;
  readonly fromSeq: number;
  readonly toSeq: number;
}

export interface GapMap {
  readonly received: number;
  readonly missing: number;
  /** Arrived after a message that the device made later. */
  readonly late: number;
  /** Numbers that came again in another message. */
  readonly repeated: number;
  readonly firstSeq: number | undefined;
  readonly lastSeq: number | undefined;
  readonly ranges: readonly MissingRange[];
  readonly restarts: readonly Restart[];
  /** There are more ranges or restarts than are listed; the latest are. */
  readonly truncated: boolean;
}

export interface GapMapOptions {
  /** Ranges and restarts that are listed. */
  readonly maxListed: number;
  /** Missing ranges that a late message may still close; older ones stay missing. */
  readonly maxOpen: number;
  /** A number that falls back further than this does not close a gap: the counter may have begun again. */
  readonly farBack: number;
  /** So many messages in a row that went on from where a number fell back to show that the counter began again. */
  readonly restartSure: number;
  /** The same where nothing follows. */
  readonly restartLikely: number;
  /** Messages that are remembered for whether an earlier one comes after them. */
  readonly maxWaiting: number;
}

export const gapMapDefaults: GapMapOptions = {
  maxListed: 1_000,
  maxOpen: 10_000,
  farBack: 10_000,
  restartSure: 100,
  restartLikely: 3,
  maxWaiting: 100_000,
};

/**
 * Finds what is missing in a device's numbers, in one pass and bounded memory. Messages are added in the order of
 * their event time.
 *
 * - A number above the highest so far: those between are missing.
 * - One that is missing: it came late.
 * - Any other falls back. Either it repeats, or the counter began again, which only what follows can tell: it began
 *   again when it fell to 0 or 1, or when `restartSure` messages go on from there before the highest so far is passed.
 *   Until then they are a *trial*, and are taken for repeated ones when that number is passed first.
 */
export function createGapMap(options: Partial<GapMapOptions> = {}) {
  const { maxListed, maxOpen, farBack, restartSure, restartLikely, maxWaiting } = {
    ...gapMapDefaults,
    ...options,
  };
  const lateness = createLateness(maxWaiting);
  const closed = createListed<MissingRange>(maxListed);
  const restarts = createListed<Restart>(maxListed);
  const total = { received: 0, missing: 0, late: 0, repeated: 0 };
  let firstSeq: number | undefined;
  let run: Run | undefined;
  let trial: Run | undefined;

  const close = (range: MissingRange): void => {
    total.missing += range.count;
    closed.add(range);
  };
  const beginRun = (message: Numbered) => createRun(message, { maxOpen, farBack });

  function confirmTrial(before: Run, begun: Run): void {
    for (const range of before.missing()) close(range);
    total.late += before.late;
    total.repeated += before.repeated;
    restarts.add({ timeUs: begun.firstTimeUs, fromSeq: before.last, toSeq: begun.first });
    run = begun;
    trial = undefined;
  }

  function addToTrial(before: Run, message: Numbered): void {
    if (trial === undefined || trial.add(message, close) === 'fell back') {
      if (trial !== undefined) before.absorb(trial);
      trial = beginRun(message);
    }
    if (trial.first <= 1 || trial.received >= restartSure) confirmTrial(before, trial);
  }

  return {
    add: (message: Numbered): void => {
      total.received += 1;
      total.late += lateness.add(message.arrivedUs);
      firstSeq ??= message.seq;
      if (run === undefined) {
        run = beginRun(message);
        return;
      }
      if (trial !== undefined && message.seq > run.last) {
        run.absorb(trial);
        trial = undefined;
      }
      if (trial !== undefined) addToTrial(run, message);
      else if (run.add(message, close) === 'fell back') addToTrial(run, message);
    },

    finish: (): GapMap => {
      if (run !== undefined && trial !== undefined) {
        if (trial.received >= restartLikely) confirmTrial(run, trial);
        else run.absorb(trial);
      }
      for (const range of run?.missing() ?? []) close(range);
      total.late += run?.late ?? 0;
      total.repeated += run?.repeated ?? 0;
      return {
        ...total,
        firstSeq,
        lastSeq: run?.last,
        ranges: closed.items(),
        restarts: restarts.items(),
        truncated: closed.truncated() || restarts.truncated(),
      };
    },
  };
}

/** Counts messages that arrived after one with a later event time; given in the order of event time. */
function createLateness(maxWaiting: number) {
  // Arrivals that no later message has undercut: they only grow.
  let waiting: number[] = [];
  return {
    add: (arrivedUs: number): number => {
      let late = 0;
      while ((waiting.at(-1) ?? Number.NEGATIVE_INFINITY) > arrivedUs) {
        waiting.pop();
        late += 1;
      }
      waiting.push(arrivedUs);
      if (waiting.length >= 2 * maxWaiting) waiting = waiting.slice(-maxWaiting);
      return late;
    },
  };
}

/** Keeps the last `most` of what is added. */
function createListed<T>(most: number) {
  let kept: T[] = [];
  let added = 0;
  return {
    add: (item: T): void => {
      added += 1;
      kept.push(item);
      if (kept.length >= 2 * most) kept = kept.slice(-most);
    },
    items: (): readonly T[] => kept.slice(-most),
    truncated: (): boolean => added > most,
  };
}
