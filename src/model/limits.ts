/** A rate limit: `burst` messages in any one window of `burst / ratePerSecond` seconds of arrival time. */
export interface RateLimit {
  readonly ratePerSecond: number;
  readonly burst: number;
}
