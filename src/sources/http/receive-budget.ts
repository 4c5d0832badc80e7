/** Bodies up to this size need no room: what they can add up to is bounded by the connections. */
const smallBodyBytes = 16 * 1024;

/**
 * Room for bodies on their way in, by what they announce: a body is held in memory until it is whole, and nobody can
 * tell how much of it has come. Small ones always find room, so whoever fills it with big ones that never come shuts
 * the door to big ones only.
 */
export interface ReceiveBudget {
  /** @returns false when there is no room; else `give` the same number back later */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createReceiveBudget(maxBytes: number): ReceiveBudget {
  let taken = 0;
  return {
    take: (bytes) => {
      if (bytes <= smallBodyBytes) return true;
      if (taken + bytes > maxBytes) return false;
      taken += bytes;
      return true;
    },
    give: (bytes) => {
      if (bytes > smallBodyBytes) taken -= bytes;
    },
  };
}
