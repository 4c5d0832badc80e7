import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportMarkdown } from './markdown.ts';
import type { Report } from './report.ts';
import { linesSvg, ratiosSvg } from './svg.ts';

/** Writes `report.json`, `report.md` and the plots. */
export function writeReport(folder: string, report: Report): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  // On one line: plots have thousands of points.
  write('report.json', `${JSON.stringify(report)}\n`);
  write('report.md', reportMarkdown(report));
  const measured = report.figures.flatMap((figure) => ('error' in figure ? [] : figure));
  const rows = measured.flatMap((figure) => figure.rows);
  write('ratios.svg', ratiosSvg('Ours against the limit or rival of the same run', rows));
  for (const plot of measured.flatMap((figure) => figure.plots ?? []))
    write(`${plot.name}.svg`, linesSvg(plot));
}
