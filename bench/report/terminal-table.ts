import type { ResultRow } from '../figures/figure.ts';
import { type RowText, rowText } from './rows.ts';

const columns: readonly { readonly key: keyof RowText; readonly title: string; readonly width: number }[] = [
  { key: 'label', title: 'figure', width: 26 },
  { key: 'ours', title: 'ours', width: -13 },
  { key: 'rival', title: 'limit', width: -8 },
  { key: 'ratio', title: 'ratio (min–max)', width: -17 },
  { key: 'wanted', title: 'wanted', width: 7 },
  { key: 'met', title: 'met', width: 3 },
];

/** Lines of at most 80 columns; a label that does not fit goes on in a line of its own. */
export function terminalTable(rows: readonly ResultRow[]): string {
  const title = Object.fromEntries(columns.map((column) => [column.key, column.title]));
  return [title as unknown as RowText, ...rows.map(rowText)].flatMap(linesOf).join('\n');
}

function linesOf(row: RowText): string[] {
  const [first, ...more] = wrap(row.label, columns[0]?.width ?? 0);
  const line = columns
    .map(({ key, width }) => {
      const text = key === 'label' ? (first ?? '') : row[key];
      return width < 0 ? text.padStart(-width) : text.padEnd(width);
    })
    .join(' ');
  return [line.trimEnd(), ...more.map((text) => `  ${text}`)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    const longer = last === '' ? word : `${last} ${word}`;
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.filter((line) => line !== '');
}
