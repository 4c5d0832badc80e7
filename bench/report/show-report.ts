import type { Report } from './report.ts';
import { terminalTable } from './terminal-table.ts';

/** What the terminal shows at the end. */
export function showReport({ figures, seconds }: Report): string {
  const rows = figures.flatMap((figure) => ('error' in figure ? [] : figure.rows));
  const failed = figures.flatMap((figure) =>
    'error' in figure ? `failed: ${figure.title}: ${figure.error}\n` : [],
  );
  return `\n${terminalTable(rows)}\n\n${failed.join('')}${Math.round(seconds)} s; the whole report: bench/results/report.md\n`;
}
