import type { ResultRow } from '../figures/figure.ts';
import type { Machine } from '../measure/machine.ts';
import type { Report, ReportedFigure } from './report.ts';
import { formatSpread, rowText } from './rows.ts';

/** The report as a page, its plots beside it. */
export function reportMarkdown(report: Report): string {
  return ['# Benchmark report', '', describeRun(report), '', ...report.figures.flatMap(figureSection)].join(
    '\n',
  );
}

function describeRun({ finishedAt, quick, rounds, seconds, machine }: Report): string {
  const kind = quick ? 'A quick run: coarse figures.' : 'A full run.';
  return `${kind} ${finishedAt.slice(0, 16).replace('T', ' ')} UTC, ${rounds} rounds, ${Math.round(seconds / 60)} minutes, commit ${machine.commit}.\n\n${describeMachine(machine)}`;
}

export function describeMachine(machine: Machine): string {
  const { processor, cores, memoryGiB, system, bun, node, nats, postgres } = machine;
  return `${cores} cores of ${processor}, ${memoryGiB} GiB, ${system}; Bun ${bun}, Node ${node}, nats-server ${nats}, PostgreSQL ${postgres}.`;
}

function figureSection(figure: ReportedFigure): string[] {
  const head = [`## ${figure.title}`, ''];
  if ('error' in figure) return [...head, `Failed: ${figure.error}`, ''];
  return [
    ...head,
    rowsMarkdown(figure.rows),
    '',
    ...figure.notes.map((note) => `- ${note}`),
    '',
    ...(figure.plots ?? []).flatMap(({ name, title }) => [`![${title}](${name}.svg)`, '']),
  ];
}

/** Medians with minimum and maximum; the last column judges the median. */
export function rowsMarkdown(rows: readonly ResultRow[]): string {
  const head = ['figure', 'ours', 'limit or rival', 'ratio', 'wanted', 'met'];
  const lines = rows.map((row) => {
    const { label, wanted, met } = rowText(row);
    const rival =
      row.rival === undefined ? '' : `${formatSpread(row.rival.measured)} ${row.unit}, ${row.rival.name}`;
    const ratio = row.ratio === undefined ? '' : formatSpread(row.ratio);
    return [label, `${formatSpread(row.ours)} ${row.unit}`, rival, ratio, wanted, met];
  });
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
