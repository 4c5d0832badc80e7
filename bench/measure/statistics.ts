/** What several rounds gave: their median with the extremes. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** In the order measured. */
  readonly values: readonly number[];
}

/** @throws RangeError without a value, or with one that is no number */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new RangeError('a spread needs at least one value');
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw new RangeError(`a spread of ${bad} says nothing: the measurement failed`);
  return { median: medianOfSorted(sorted), min, max, values };
}

/**
 * Round by round, since both sides of one round met the same machine.
 * @throws RangeError when the sides have different numbers of rounds, or a divisor is not positive
 */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): Spread {
  if (ours.length !== theirs.length) {
    throw new RangeError(
      `${ours.length} rounds of ours cannot be held against ${theirs.length} of the rival's`,
    );
  }
  return spreadOf(
    ours.map((value, round) => {
      const divisor = theirs[round] ?? 0;
      if (divisor <= 0) throw new RangeError(`round ${round + 1} of the rival gave ${divisor}`);
      return value / divisor;
    }),
  );
}

function medianOfSorted(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
