import type { Fault, Need } from './faults/fault.ts';
import { pick } from './load/message.ts';

/** Faults that strike at one moment of a trial. */
export interface Strike {
  /** From the start of the load, in ms. */
  readonly atMs: number;
  readonly faults: readonly Fault[];
}

/** One fault strikes early or late in the load, never in its last third. */
const single = { from: 0.05, to: 0.65 } as const;
/** Between the faults of a long trial. */
const gapMs = { min: 2_000, max: 8_000 } as const;
const pairShare = 0.3;

/** A short trial: one fault. */
export function scheduleOne(fault: Fault, durationMs: number, random: () => number): Strike[] {
  return [{ atMs: durationMs * (single.from + random() * (single.to - single.from)), faults: [fault] }];
}

/** A long trial: faults follow one another while the load goes on, some of them two at once. */
export function scheduleMany(chosen: readonly Fault[], durationMs: number, random: () => number): Strike[] {
  const strikes: Strike[] = [];
  for (let atMs = gapMs.min; atMs < durationMs - gapMs.min; ) {
    const first = pick(chosen, random);
    const second = pick(chosen, random);
    // Two faults of the same process would be one.
    const isPair = random() < pairShare && targetOf(first) !== targetOf(second);
    strikes.push({ atMs, faults: isPair ? [first, second] : [first] });
    atMs += gapMs.min + random() * (gapMs.max - gapMs.min);
  }
  return strikes;
}

/** What the name ends in: `kill-gateway` strikes `gateway`, `full-disk-nats` strikes `nats`. */
function targetOf({ name }: Fault): string {
  const target = name.slice(name.lastIndexOf('-') + 1);
  return { backend: 'postgres', stream: 'worker' }[target] ?? target;
}

export function needsOf(chosen: readonly Fault[]): ReadonlySet<Need> {
  return new Set(chosen.flatMap(({ needs }) => needs));
}
