/**
 * Keeps a flood out of the table between two runs of the maintenance, which evicts: in a minute one worker keeps at most
 * as many dead letters as a tenant may have in all. What there is no room for is counted.
 */
export interface DeadLetterRoom {
  /** Whether there is room for another dead letter of the tenant; it takes the room. */
  take(tenantId: string): boolean;
}

const windowMs = 60_000;

/** @param clock milliseconds that never go back */
export function createDeadLetterRoom(maxPerTenant: number, clock: () => number): DeadLetterRoom {
  const taken = new Map<string, number>();
  let windowEndsMs = Number.NEGATIVE_INFINITY;
  return {
    take(tenantId) {
      const now = clock();
      if (now >= windowEndsMs) {
        taken.clear();
        windowEndsMs = now + windowMs;
      }
      const own = taken.get(tenantId) ?? 0;
      if (own >= maxPerTenant) return false;
      taken.set(tenantId, own + 1);
      return true;
    },
  };
}
