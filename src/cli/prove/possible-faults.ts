import type { Fault } from '../../prove/faults/fault.ts';
import type { LeftOut } from '../../prove/report.ts';

export interface PossibleFaults {
  readonly possible: readonly Fault[];
  readonly leftOut: readonly LeftOut[];
}

/** Parts the faults that can be staged from those that cannot. @param missing why clocks cannot be set; undefined: they can */
export function possibleFaults(chosen: readonly Fault[], missing: string | undefined): PossibleFaults {
  const isImpossible = ({ needs }: Fault) => missing !== undefined && needs.includes('faked clocks');
  return {
    possible: chosen.filter((fault) => !isImpossible(fault)),
    leftOut: chosen.filter(isImpossible).map(({ name }) => ({ fault: name, why: missing ?? '' })),
  };
}
