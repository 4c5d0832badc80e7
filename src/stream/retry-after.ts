import type { Backlog } from './backlog-sample.ts';
import type { PublishFailure } from './publisher-contract.ts';

export interface RetryAfterInput {
  readonly why: PublishFailure;
  readonly backlog: Backlog | undefined;
  /** 0 while connected. */
  readonly disconnectedForMs: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

const retryAfterLimits = { minSeconds: 1, maxSeconds: 60 } as const;

/** The part of a limit that should be free again before it is worth to come back. */
const wantedFreeShare = 0.1;
/** When nothing is known of the backlog yet. */
const unknownBacklogSeconds = 5;
const shortPauseSeconds = 1.5;

/**
 * What `Retry-After` should say: whole seconds, 1 to 60. A full stream or tenant: the time in which a tenth of
 * the limit drains at the measured rate, 60 when nothing drains. NATS away: as long again as it has been away.
 * Jittered by ±25 %, so that what was refused together does not come back together.
 */
export function retryAfterSeconds(input: RetryAfterInput): number {
  const { minSeconds, maxSeconds } = retryAfterLimits;
  const seconds = expectedSeconds(input);
  if (!Number.isFinite(seconds)) return maxSeconds;
  const jittered = seconds * (0.75 + 0.5 * input.random());
  return Math.min(maxSeconds, Math.max(minSeconds, Math.round(jittered)));
}

function expectedSeconds({ why, backlog, disconnectedForMs }: RetryAfterInput): number {
  if (why === 'stream_full' || why === 'tenant_full') {
    if (backlog === undefined) return unknownBacklogSeconds;
    return backlog.drainedPerSecond <= 0
      ? Number.POSITIVE_INFINITY
      : messagesToDrain(why, backlog) / backlog.drainedPerSecond;
  }
  return Math.max(shortPauseSeconds, disconnectedForMs / 1_000);
}

/**
 * Messages drain in the order in which they came, so a tenant's tenth is free once its share of everything that
 * leaves adds up to it; the tenant is full, so its messages in the stream are its limit.
 */
function messagesToDrain(why: 'stream_full' | 'tenant_full', backlog: Backlog): number {
  if (why === 'stream_full') return wantedFreeShare * backlog.streamMessages;
  return wantedFreeShare * Math.max(backlog.streamMessages, backlog.maxPerTenant);
}
