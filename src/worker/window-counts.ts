/** What is known of one window of arrival time of one device or tenant. */
export interface WindowCount {
  readonly key: string;
  /** Accepted by this worker. */
  own: number;
  /** Accepted by other workers, as far as they have told. */
  others: number;
  /** Of `own`: settled, but not yet told to the others. */
  untold: number;
}

/**
 * Counts by window, in bounded memory: two generations of at most `maxWindows` each. When the young one is
 * full it becomes the old one, and what the old one still held, untouched for as long, is forgotten.
 * A forgotten window starts again at zero, which errs towards accepting.
 */
export interface WindowCounts {
  /** The count under `key`, made on first use. */
  at(key: string): WindowCount;
  readonly size: number;
}

export function createWindowCounts({ maxWindows }: { maxWindows: number }): WindowCounts {
  let young = new Map<string, WindowCount>();
  let old = new Map<string, WindowCount>();
  return {
    at(key) {
      const known = young.get(key);
      if (known !== undefined) return known;
      const count = old.get(key) ?? { key, own: 0, others: 0, untold: 0 };
      old.delete(key);
      if (young.size >= maxWindows) {
        old = young;
        young = new Map();
      }
      young.set(key, count);
      return count;
    },
    get size() {
      return young.size + old.size;
    },
  };
}
