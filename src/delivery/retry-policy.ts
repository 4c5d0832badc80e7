export interface RetryPolicy {
  /** Ceiling of the first delay. */
  readonly baseMs: number;
  /** Ceiling of every delay. */
  readonly maxMs: number;
  /** From the first attempt until the job is given up. */
  readonly retryForMs: number;
}

/**
 * How long to wait after a failed attempt; undefined: the time is over. Exponential; half of each delay is jitter, so
 * that what failed together does not come back together, and nothing comes back at once. The last attempt is made when
 * the time is over, not before.
 *
 * @param attempts made so far, at least 1
 * @param ageMs since the first one
 * @param retryAfterMs what the destination asked for: no attempt before
 * @param random 0 ≤ x < 1
 */
export function nextDelayMs(
  { attempts, ageMs, retryAfterMs }: { attempts: number; ageMs: number; retryAfterMs?: number | undefined },
  { baseMs, maxMs, retryForMs }: RetryPolicy,
  random: () => number,
): number | undefined {
  const leftMs = retryForMs - ageMs;
  if (leftMs <= 0) return undefined;
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempts - 1, 40));
  const delayMs = Math.min(Math.round(ceiling / 2 + (random() * ceiling) / 2), leftMs);
  return Math.max(delayMs, retryAfterMs ?? 0);
}
