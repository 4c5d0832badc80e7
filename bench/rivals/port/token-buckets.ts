export interface BucketOptions {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** One bucket a device, refilled by the clock of the worker. */
export class TokenBuckets {
  readonly #options: BucketOptions;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(options: BucketOptions) {
    this.#options = options;
  }

  take(key: string): boolean {
    const { ratePerSecond, burst } = this.#options;
    const nowMs = performance.now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1_000) * ratePerSecond);
    bucket.atMs = nowMs;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
