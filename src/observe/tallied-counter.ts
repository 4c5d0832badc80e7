import { Counter, type CounterConfiguration } from 'prom-client';

export interface TalliedCounter {
  /** @param labels a value for each label name, in their order */
  inc(...labels: readonly [string, string?]): void;
}

interface Tally {
  readonly labels: readonly string[];
  /** Since the last scrape. */
  count: number;
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
        this.labels(...tally.labels).inc(tally.count);
        tally.count = 0;
      }
    },
  });
  const tallyOf = (first: string, second: string | undefined): Tally => {
    const under = byLabels.getOrInsertComputed(first, () => new Map());
    return under.getOrInsertComputed(second, () => {
      const tally = { labels: second === undefined ? [first] : [first, second], count: 0 };
      tallies.push(tally);
      return tally;
    });
  };
  return {
    inc(first, second) {
      const tally = byLabels.get(first)?.get(second) ?? tallyOf(first, second);
      tally.count += 1;
    },
  };
}
