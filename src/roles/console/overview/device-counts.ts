import type { OverviewSample } from '../../../console/installation-service.ts';

type Devices = OverviewSample['devices'];

const none: Devices = { online: 0, stale: 0, offline: 0, silent: 0 };
/** Counting takes a tenth of the time at most. */
const restFactor = 10;
const leastRestMs = 3_000;

/** How many devices are in which state, counted now and then; while the database is away, as it was last. */
export function createDeviceCounts(count: () => Promise<Devices>, now: () => number) {
  let known = none;
  let dueAtMs = Number.NEGATIVE_INFINITY;
  return async (): Promise<Devices> => {
    const startedAtMs = now();
    if (startedAtMs < dueAtMs) return known;
    known = await count().catch(() => known);
    dueAtMs = now() + Math.max(leastRestMs, (now() - startedAtMs) * restFactor);
    return known;
  };
}
