import { ratiosOf, type Spread, spreadOf } from '../measure/statistics.ts';
import type { ResultRow, Wanted } from './figure.ts';

export interface Sides {
  /** One measurement of a side; called once a round. */
  readonly ours: (round: number) => Promise<number>;
  readonly rival: (round: number) => Promise<number>;
}

export interface Compared {
  readonly ours: Spread;
  readonly rival: Spread;
  readonly ratio: Spread;
}

/** Measures both sides once in each round, and changes who goes first, so that neither has the cooler machine. */
export async function compareInTurn(rounds: number, sides: Sides): Promise<Compared> {
  const ours: number[] = [];
  const rival: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const oursFirst = round % 2 === 0;
    if (oursFirst) ours.push(await sides.ours(round));
    rival.push(await sides.rival(round));
    if (!oursFirst) ours.push(await sides.ours(round));
  }
  return { ours: spreadOf(ours), rival: spreadOf(rival), ratio: ratiosOf(ours, rival) };
}

export function comparedRow(
  label: string,
  unit: string,
  rivalName: string,
  { ours, rival, ratio }: Compared,
  wanted?: Wanted,
): ResultRow {
  return {
    label,
    unit,
    ours,
    rival: { name: rivalName, measured: rival },
    ratio,
    ...(wanted === undefined ? {} : { wanted }),
  };
}

export function atLeast(value: number): Wanted {
  return { of: 'ratio', comparison: 'at least', value };
}

export function below(value: number): Wanted {
  return { of: 'ours', comparison: 'below', value };
}
