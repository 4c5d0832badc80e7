import { type QuarantineLimits, unknownBudget } from '../model/quarantine-limits.ts';

/**
 * Keeps a flood out of the table between two runs of the maintenance, which evicts: in a minute one worker keeps at
 * most what a budget holds in all. So a budget never takes more than (1 + workers × minutes between two runs) times
 * its limit.
 */
export interface QuarantineRoom {
  /** Whether there is room for a row with an envelope of so many bytes; it takes the room. */
  take(budget: string, bytes: number): boolean;
}

const windowMs = 60_000;

/** @param clock milliseconds that never go back */
export function createQuarantineRoom(limits: QuarantineLimits, clock: () => number): QuarantineRoom {
  const taken = new Map<string, { rows: number; bytes: number }>();
  let windowEndsMs = Number.NEGATIVE_INFINITY;
  return {
    take(budget, bytes) {
      if (clock() >= windowEndsMs) {
        taken.clear();
        windowEndsMs = clock() + windowMs;
      }
      const limit = budget === unknownBudget ? limits.unknown : limits.tenant;
      const own = taken.get(budget) ?? { rows: 0, bytes: 0 };
      taken.set(budget, own);
      if (own.rows >= limit.rows || own.bytes + bytes > limit.bytes) return false;
      own.rows += 1;
      own.bytes += bytes;
      return true;
    },
  };
}
