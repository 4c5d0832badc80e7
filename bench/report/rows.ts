import type { ResultRow, Wanted } from '../figures/figure.ts';
import type { Spread } from '../measure/statistics.ts';

/** One line of the tables, as text. */
export interface RowText {
  readonly label: string;
  readonly ours: string;
  readonly rival: string;
  readonly ratio: string;
  readonly wanted: string;
  readonly met: string;
}

export function rowText(row: ResultRow): RowText {
  const { label, unit, ours, rival, ratio, wanted } = row;
  return {
    label,
    ours: `${formatNumber(ours.median)} ${unit}`,
    rival: rival === undefined ? '' : formatNumber(rival.measured.median),
    ratio: ratio === undefined ? extremes(ours) : formatSpread(ratio),
    wanted: wanted === undefined ? '' : wantedText(wanted),
    met: wanted === undefined ? '' : isMet(row, wanted) ? 'yes' : 'no',
  };
}

/** By the median. */
export function isMet({ ours, ratio }: ResultRow, { of, comparison, value }: Wanted): boolean {
  const measured = of === 'ours' ? ours : ratio;
  if (measured === undefined) return false;
  return comparison === 'at least' ? measured.median >= value : measured.median < value;
}

function wantedText({ comparison, value }: Wanted): string {
  return `${comparison === 'at least' ? '≥' : '<'} ${value}`;
}

/** Of ours, where nothing is held against it. */
function extremes({ min, max, values }: Spread): string {
  return values.length === 1 ? '' : `(${formatNumber(min)}–${formatNumber(max)})`;
}

/** `0.48 (0.45–0.51)`; a single round has no spread. */
export function formatSpread({ median, min, max, values }: Spread): string {
  if (values.length === 1) return formatNumber(median);
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

/** Three significant digits are what such a measurement is good for. */
export function formatNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
