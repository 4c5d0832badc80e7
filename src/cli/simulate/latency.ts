export interface Latencies {
  record(durationMs: number): void;
  /** The duration that the fraction `q` of all stayed below, to 2 %; undefined before the first. */
  quantile(q: number): number | undefined;
  readonly count: number;
}

const growth = Math.log(1.02);
const leastMs = 0.01;

/** A histogram whose buckets grow by 2 %: bounded, however long a run is. */
export function createLatencies(): Latencies {
  const buckets = new Map<number, number>();
  let count = 0;
  return {
    record: (durationMs) => {
      const bucket = Math.max(0, Math.round(Math.log(Math.max(durationMs, leastMs) / leastMs) / growth));
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      count += 1;
    },
    quantile: (q) => {
      let seen = 0;
      for (const [bucket, inBucket] of [...buckets].sort(([a], [b]) => a - b)) {
        seen += inBucket;
        if (seen >= q * count) return leastMs * Math.exp(bucket * growth);
      }
      return undefined;
    },
    get count() {
      return count;
    },
  };
}
