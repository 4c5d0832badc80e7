/** Sequences `from` ≤ n < `to`. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

/** The sequences of `whole` that are not among `removed`, as ranges in order. */
export function without(whole: SequenceRange, removed: readonly number[]): SequenceRange[] {
  const sorted = Float64Array.from(removed).sort();
  const ranges: SequenceRange[] = [];
  let { from } = whole;
  for (const seq of sorted) {
    if (seq < from || seq >= whole.to) continue;
    if (seq > from) ranges.push({ from, to: seq });
    from = seq + 1;
  }
  if (from < whole.to) ranges.push({ from, to: whole.to });
  return ranges;
}

/** How many sequences the ranges hold. */
export function countOf(ranges: readonly SequenceRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** PostgreSQL's text of an `int8multirange`. */
export function toMultirange(ranges: readonly SequenceRange[]): string {
  return `{${ranges.map(({ from, to }) => `[${from},${to})`).join(',')}}`;
}
