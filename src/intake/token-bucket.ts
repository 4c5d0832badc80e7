export interface TokenBucket {
  /** Takes one token; when there is none, says in how many seconds the next one comes. */
  take(): { readonly ok: true } | { readonly ok: false; readonly waitSeconds: number };
}

/** Starts full. `clock` in ms; a step backwards neither gives nor takes anything. */
export function createTokenBucket(options: {
  readonly ratePerSecond: number;
  readonly burst: number;
  readonly clock: () => number;
}): TokenBucket {
  const { ratePerSecond, burst, clock } = options;
  let tokens = burst;
  let atMs = clock();
  return {
    take() {
      const now = clock();
      if (now > atMs) tokens = Math.min(burst, tokens + ((now - atMs) / 1_000) * ratePerSecond);
      atMs = now;
      if (tokens >= 1) {
        tokens -= 1;
        return { ok: true };
      }
      return { ok: false, waitSeconds: (1 - tokens) / ratePerSecond };
    },
  };
}
