export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | undefined;
  readonly align?: 'left' | 'right';
  /** May be cut to this width with an ellipsis where the line is too long. Identifiers are never cut. */
  readonly minimum?: number;
}

const gap = '  ';

/** Lines of an aligned table, headed by its titles; columns that may be cut give way until it fits `width`. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.value(row) ?? '—')));
  const widths = fit(columns, cells, width);
  const lines = [columns.map((column) => column.title), ...cells].map((line) =>
    line
      .map((cell, index) => pad(cut(cell, widths[index] ?? 0), widths[index] ?? 0, columns[index]?.align))
      .join(gap)
      .trimEnd(),
  );
  return lines.join('\n');
}

/** `name  value` lines, the names aligned. Values keep their own line breaks, indented. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => displayWidth(name)));
  return fields
    .map(
      ([name, value]) => `${pad(name, width)}${gap}${value.replaceAll('\n', `\n${' '.repeat(width)}${gap}`)}`,
    )
    .join('\n');
}

function fit<Row>(columns: readonly Column<Row>[], cells: readonly string[][], width: number): number[] {
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[index] ?? ''))),
  );
  const total = () => widths.reduce((sum, each) => sum + each, gap.length * (columns.length - 1));
  while (total() > width) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      const floor =
        column.minimum === undefined ? undefined : Math.max(column.minimum, displayWidth(column.title));
      const own = widths[index] ?? 0;
      if (floor === undefined || own <= floor) continue;
      if (widest === -1 || own > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** To a width, with an ellipsis in place of the rest. */
export function cut(cell: string, width: number): string {
  if (displayWidth(cell) <= width) return cell;
  let kept = '';
  for (const character of cell) {
    if (displayWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

function pad(cell: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(cell)));
  return align === 'left' ? cell + space : space + cell;
}

const displayWidth = (text: string): number => Bun.stringWidth(text);

/** What devices send is shown, not obeyed: control characters would move the cursor. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code === 9 || code === 10 ? ' ' : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
