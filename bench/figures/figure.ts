import type { Backend } from '../measure/backend.ts';
import type { Servers } from '../measure/servers.ts';
import type { Spread } from '../measure/statistics.ts';

/** How much is measured. */
export interface Effort {
  readonly quick: boolean;
  readonly rounds: number;
  /** Of one side in one round. */
  readonly measureMs: number;
  readonly warmUpMs: number;
  /** Messages of a standing backlog. */
  readonly backlog: number;
}

/** What a figure works with. */
export interface Bench {
  readonly servers: Servers;
  readonly backend: Backend;
  readonly effort: Effort;
  /** Where profiles go; undefined: none are taken. */
  readonly profileFolder: string | undefined;
  say(line: string): void;
}

/** One figure of the report: measures both sides in turn and says what came out. */
export interface Figure {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** Takes many minutes: only when it is asked for by name, or with `--all`. */
  readonly isLong?: boolean;
  /** Takes most of a minute however coarse it is: with `--quick` only when it is asked for by name. */
  readonly isSlow?: boolean;
  run(bench: Bench): Promise<FigureResult>;
}

export interface FigureResult {
  readonly rows: readonly ResultRow[];
  /** What was held against what, and what a reader must know to read the numbers. */
  readonly notes: readonly string[];
  readonly plots?: readonly Plot[];
  /** What was measured, as it came. */
  readonly details?: unknown;
}

export interface ResultRow {
  readonly label: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly rival?: { readonly name: string; readonly measured: Spread };
  readonly ratio?: Spread;
  /** What the issue asks for; judged by the median. */
  readonly wanted?: Wanted;
}

export interface Wanted {
  readonly of: 'ratio' | 'ours';
  readonly comparison: 'at least' | 'below';
  readonly value: number;
}

/** Lines over time, for the report's SVG files. */
export interface Plot {
  /** File name without its ending. */
  readonly name: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly {
    readonly label: string;
    readonly points: readonly (readonly [number, number])[];
  }[];
}
