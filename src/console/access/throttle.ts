import { createTokenBucket, type TokenBucket } from '../../intake/token-bucket.ts';
import { Problem } from '../problem.ts';

export interface ThrottleOptions {
  readonly ratePerSecond: number;
  readonly burst: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** How many are remembered at once. */
  readonly maxRemembered?: number;
}

/** Counts requests by key or address, in this process. */
export interface Throttle {
  /** @throws Problem `too_many_requests` */
  take(who: string): void;
}

/** Remembers the latest ones only; whoever is forgotten starts anew. */
export function createThrottle({
  ratePerSecond,
  burst,
  now,
  maxRemembered = 10_000,
}: ThrottleOptions): Throttle {
  const buckets = new Map<string, TokenBucket>();
  return {
    take(who) {
      const bucket = buckets.get(who) ?? createTokenBucket({ ratePerSecond, burst, clock: now });
      // The order of the map is that of the last use.
      buckets.delete(who);
      buckets.set(who, bucket);
      if (buckets.size > maxRemembered) buckets.delete(buckets.keys().next().value ?? '');
      const taken = bucket.take();
      if (taken.ok) return;
      throw new Problem('too_many_requests', undefined, { retryAfterSeconds: Math.ceil(taken.waitSeconds) });
    },
  };
}
