import type { FlowPoint, OverviewSample } from './types.ts';

/** Whatever the outcome: what is quarantined does not wait either. */
export function settledPerSecond({ out_per_second, by_verdict }: OverviewSample): number {
  const outcomes = Object.values(by_verdict).reduce((sum, each) => sum + each, 0);
  return Math.max(out_per_second, outcomes);
}

export interface Flow {
  /** Each second, as long as the page has looked. */
  readonly samples: readonly OverviewSample[];
  /** What the console knew when the feed began; the oldest first. */
  readonly past: readonly FlowPoint[];
}

/** All of it in one line, the oldest first. */
export function flowPoints({ samples, past }: Flow): readonly FlowPoint[] {
  const knownMs = past.at(-1)?.timeMs ?? Number.NEGATIVE_INFINITY;
  const later = samples.map(pointOf).filter(({ timeMs }) => timeMs > knownMs);
  return [...past, ...later];
}

function pointOf(sample: OverviewSample): FlowPoint {
  return { timeMs: Date.parse(sample.time), in: sample.in_per_second, settled: settledPerSecond(sample) };
}
