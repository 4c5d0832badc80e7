import { Counter, type CounterConfiguration } from 'prom-client';

export interface TalliedCounter {
  /** @param labels a value for each label name, in their order */
  inc(...labels: readonly [string, string?]): void;
  /** What was counted so far, by the labels' values in their order. */
  totals(): readonly { readonly labels: readonly string[]; readonly total: number }[];
}

interface Tally {
  readonly labels: readonly string[];
  total: number;
  /** How much of it prom-client knows. */
  told: number;
}

/**
 * A counter of one or two labels for what happens with every message. prom-client makes a text of the labels at each
 * `inc`; here it is told at a scrape what came together since the last one.
 */
export function createTalliedCounter(
  options: Pick<CounterConfiguration<string>, 'name' | 'help' | 'registers'> & {
    readonly labelNames: readonly [string, string?];
  },
): TalliedCounter {
  const tallies: Tally[] = [];
  const byLabels = new Map<string, Map<string | undefined, Tally>>();
  new Counter({
    ...options,
    labelNames: options.labelNames.filter((name) => name !== undefined),
    collect() {
      for (const tally of tallies) {
        this.labels(...tally.labels).inc(tally.total - tally.told);
        tally.told = tally.total;
      }
    },
  });
  const tallyOf = (first: string, second: string | undefined): Tally => {
    const under = byLabels.getOrInsertComputed(first, () => new Map());
    return under.getOrInsertComputed(second, () => {
      const tally = { labels: second === undefined ? [first] : [first, second], total: 0, told: 0 };
      tallies.push(tally);
      return tally;
    });
  };
  return {
    inc(first, second) {
      const tally = byLabels.get(first)?.get(second) ?? tallyOf(first, second);
      tally.total += 1;
    },
    totals: () => tallies.map(({ labels, total }) => ({ labels, total })),
  };
}
