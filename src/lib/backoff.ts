export interface BackoffOptions {
  /** The ceiling of the first delay. */
  readonly baseMs: number;
  /** The ceiling of every delay. */
  readonly maxMs: number;
  /** By how much the ceiling grows per attempt; 2 when not given. */
  readonly factor?: number;
}

/**
 * How long to wait before the next try: exponential with full jitter, so that many clients that failed at the
 * same moment do not come back at the same moment. `attempt` counts from 0; `random` gives 0 ≤ x < 1.
 * Returns whole milliseconds between 0 and `min(maxMs, baseMs × factor^attempt)`.
 */
export function backoffMs(attempt: number, options: BackoffOptions, random: () => number): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * (options.factor ?? 2) ** attempt);
  return Math.round(random() * ceiling);
}
