import type { Backend } from './backend.ts';

const pollMs = 20;
const giveUpAfterMs = 600_000;
/** Nothing more has been committed for this long: it will not be finished. */
const stuckAfterMs = 30_000;

export interface Drained {
  readonly perSecond: number;
  /** Committed so far, over time: [seconds, messages]. */
  readonly points: (readonly [number, number])[];
}

/**
 * Waits until all are committed. The rate is that from the first commit seen to the last: what comes before is the
 * start of a process.
 * @throws Error when it gets stuck
 */
export async function measureDrain(backend: Pick<Backend, 'settled'>, messages: number): Promise<Drained> {
  const points: (readonly [number, number])[] = [];
  const beganAtMs = performance.now();
  let changedAtMs = beganAtMs;
  let last = 0;
  while (last < messages) {
    const settled = await backend.settled();
    const nowMs = performance.now();
    if (settled !== last) {
      points.push([nowMs / 1_000, settled]);
      changedAtMs = nowMs;
      last = settled;
    }
    const isStuck = nowMs - changedAtMs > stuckAfterMs || nowMs - beganAtMs > giveUpAfterMs;
    if (isStuck) throw new Error(`only ${last} of ${messages} messages were settled, then nothing more`);
    if (last < messages) await Bun.sleep(pollMs);
  }
  const [first, end] = [points[0], points.at(-1)];
  if (first === undefined || end === undefined || end[0] <= first[0]) {
    throw new Error(`${messages} messages were settled too fast to measure: make the backlog larger`);
  }
  return { perSecond: (end[1] - first[1]) / (end[0] - first[0]), points };
}
