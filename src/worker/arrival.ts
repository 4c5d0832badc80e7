/** A publisher's clock may be this far ahead of JetStream's. */
export const maxAheadMs = 5 * 60_000;
/** What waited longer between its source and JetStream counts as arrived there. */
const maxBehindMs = 24 * 3_600_000;

/**
 * When a message arrived, in ms since the epoch: the envelope's `ts`, which the source wrote, where it is an
 * integer and not absurd (more than 5 minutes after, or 24 hours before, JetStream stored it); else the moment
 * JetStream stored it. Windows of the rate limiter, retention and partitions hang on it.
 */
export function arrivalOf(ts: unknown, timestampNs: bigint): number {
  const storedAtMs = Number(timestampNs / 1_000_000n);
  if (typeof ts !== 'number' || !Number.isSafeInteger(ts)) return storedAtMs;
  return ts > storedAtMs + maxAheadMs || ts < storedAtMs - maxBehindMs ? storedAtMs : ts;
}
