import type { Outcome } from './outcome.ts';
import type { Parcel } from './parcel.ts';
import { nextDelayMs, type RetryPolicy } from './retry-policy.ts';
import type { BookedRoute } from './route-book.ts';
import type { Verdict } from './settlement.ts';

const untried = { kind: 'dead', attempts: 0 } as const;
export const removed: Verdict = { ...untried, reason: 'ROUTE_REMOVED', detail: 'the route is no more' };
export const disabled: Verdict = { ...untried, reason: 'ROUTE_DISABLED', detail: 'the route is disabled' };

/** It goes to the schedule, and is due at once. */
export function waitUntried({ attempts }: Parcel): Verdict {
  return { kind: 'wait', dueInMs: 0, attempts, error: undefined };
}

export interface RetryTerms {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly retry: RetryPolicy;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** What an attempt's outcome makes of the jobs: delivered, tried again, or a dead letter. */
export function verdictOf(
  parcel: Parcel,
  route: BookedRoute,
  outcome: Outcome,
  { nowMs, retry, random }: RetryTerms,
): Verdict {
  const attempts = parcel.attempts + 1;
  switch (outcome.kind) {
    case 'delivered':
      return outcome;
    case 'dead':
      return { ...outcome, attempts };
    case 'gone': {
      const disable = { version: route.version };
      return { kind: 'dead', reason: 'REFUSED', detail: outcome.detail, attempts, disable };
    }
    case 'retry': {
      const { error, retryAfterMs } = outcome;
      const ageMs = nowMs - parcel.firstAtMs;
      const dueInMs = nextDelayMs({ attempts, ageMs, retryAfterMs }, retry, random);
      if (dueInMs !== undefined) return { kind: 'wait', dueInMs, attempts, error };
      return { kind: 'dead', reason: 'GAVE_UP', detail: error, attempts };
    }
  }
}
