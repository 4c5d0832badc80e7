/** Buckets grow by this factor, so a percentile is at most 1 % above the true value. */
const growth = 1.01;
const logGrowth = Math.log(growth);
const smallestMs = 0.001;
const bucketCount = 2_000;

/** Percentiles as the report shows them, in ms. */
export interface LatencySummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Durations from 1 µs to more than an hour in constant memory. */
export class Histogram {
  readonly #buckets = new Float64Array(bucketCount);
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    const place = ms <= smallestMs ? 0 : Math.ceil(Math.log(ms / smallestMs) / logGrowth);
    const index = Math.min(bucketCount - 1, place);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#count += 1;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The least value that this share (0…1) of all recorded ones does not exceed; 0 while nothing is recorded. */
  percentileMs(share: number): number {
    const wanted = Math.ceil(share * this.#count);
    let seen = 0;
    for (let index = 0; index < bucketCount; index += 1) {
      seen += this.#buckets[index] ?? 0;
      if (seen >= wanted && seen > 0) return Math.min(this.#maxMs, smallestMs * growth ** index);
    }
    return this.#maxMs;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      p50Ms: this.percentileMs(0.5),
      p90Ms: this.percentileMs(0.9),
      p99Ms: this.percentileMs(0.99),
      p999Ms: this.percentileMs(0.999),
      maxMs: this.#maxMs,
    };
  }

  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
    this.#maxMs = 0;
  }
}
