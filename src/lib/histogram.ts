/** How many values fell into which range. */
export interface HistogramCounts {
  /** Upper ends of the ranges, rising; what lies above the last one is counted behind them. */
  readonly bounds: readonly number[];
  /** One more than there are bounds. */
  readonly counts: readonly number[];
}

export interface Histogram {
  add(value: number): void;
  /** Since it was made; a copy. */
  counts(): HistogramCounts;
}

export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  return {
    add(value) {
      let at = 0;
      for (const bound of bounds) {
        if (value <= bound) break;
        at += 1;
      }
      counts[at] = (counts[at] ?? 0) + 1;
    },
    counts: () => ({ bounds, counts: [...counts] }),
  };
}

/**
 * The value that a share `q` of all lies below, within its range by the rule of three. Undefined without values;
 * `Infinity` when it lies above the last bound.
 */
export function quantile({ bounds, counts }: HistogramCounts, q: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let below = 0;
  for (const [at, bound] of bounds.entries()) {
    const count = counts[at] ?? 0;
    if (count > 0 && below + count >= q * total) {
      const from = bounds[at - 1] ?? 0;
      return from + ((bound - from) * (q * total - below)) / count;
    }
    below += count;
  }
  return Number.POSITIVE_INFINITY;
}
