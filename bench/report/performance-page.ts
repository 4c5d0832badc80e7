import { describeMachine, rowsMarkdown } from './markdown.ts';
import type { Report, ReportedFigure } from './report.ts';

const start = '<!-- figures: written by `npm run bench -- --publish`, do not edit -->';
const end = '<!-- /figures -->';

/** The page with the figures between its marks replaced. @throws Error when it has no marks */
export function withFigures(page: string, report: Report): string {
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has lost its marks: ${start} … ${end}`);
  return `${page.slice(0, from + start.length)}\n\n${figuresMarkdown(report)}\n${page.slice(to)}`;
}

function figuresMarkdown({ machine, figures }: Report): string {
  return [
    describeMachine(machine),
    '',
    '![ratios](../bench/published/ratios.svg)',
    '',
    ...figures.flatMap(section),
  ].join('\n');
}

function section(figure: ReportedFigure): string[] {
  if ('error' in figure) return [];
  const { title, rows, notes, plots = [], measuredAt, commit } = figure;
  const pictures = plots.flatMap((plot) => [`![${plot.title}](../bench/published/${plot.name}.svg)`, '']);
  return [
    `### ${title}`,
    '',
    rowsMarkdown(rows),
    '',
    ...notes.map((note) => `- ${note}`),
    `- Measured ${measuredAt.slice(0, 10)} at ${commit}.`,
    '',
    ...pictures,
  ];
}
