import type { OverviewSample } from '../../../console/installation-service.ts';
import { withDeadline } from '../../../lib/deadline.ts';

type Devices = OverviewSample['devices'];

const none: Devices = { online: 0, stale: 0, offline: 0, silent: 0 };
/** Counting takes a tenth of the time at most. */
const restFactor = 10;
const leastRestMs = 3_000;
/** A database that is slow or away holds up no sample for longer. */
const waitMs = 500;

/** How many devices are in which state, counted now and then; while the database is away, as it was last. */
export function createDeviceCounts(count: () => Promise<Devices>, now: () => number) {
  let known = none;
  let dueAtMs = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> | undefined;
  const begin = async () => {
    const startedAtMs = now();
    known = await count().catch(() => known);
    dueAtMs = now() + Math.max(leastRestMs, (now() - startedAtMs) * restFactor);
    counting = undefined;
  };
  return async (): Promise<Devices> => {
    if (counting === undefined && now() >= dueAtMs) counting = begin();
    if (counting !== undefined) await withDeadline(counting, waitMs, () => undefined);
    return known;
  };
}
