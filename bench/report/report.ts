import type { FigureResult } from '../figures/figure.ts';
import type { Machine } from '../measure/machine.ts';

/** What `report.json` holds, and everything else is made from. */
export interface Report {
  /** ISO 8601. */
  readonly finishedAt: string;
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: Machine;
  readonly figures: readonly ReportedFigure[];
}

export type ReportedFigure = {
  readonly name: string;
  readonly title: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly commit: string;
} & (FigureResult | { readonly error: string });
