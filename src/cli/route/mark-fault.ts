import { RouteFault, type RouteField } from '../../model/route.ts';
import { type CliError, usageError } from '../exit-codes.ts';
import { oneLine } from '../output/table.ts';

const words: Readonly<Record<RouteField, string>> = {
  name: 'the name',
  topic_filter: 'the topic filter',
  condition: 'the condition',
  fires_on: 'what it fires on',
  destination: 'the destination',
  rate_per_second: 'the rate',
  burst: 'the burst',
  secrets: 'the secrets',
};

const indent = '  ';
const width = 76;

/** Runs `check`; a fault of the route comes out with the text it is about, and a mark under the place. */
export function checked<T>(text: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RouteFault) throw markFault(error, text);
    throw error;
  }
}

/** @param text that the position counts in */
export function markFault({ field, message, position }: RouteFault, text: string): CliError {
  const said = position === undefined ? message : message.replace(` (at character ${position + 1})`, '');
  const place = position === undefined ? '' : `\n${mark(text, position)}`;
  return usageError(`${words[field]} is refused: ${said}${place}`);
}

/** The line that holds the position, cut around it where it is long, and a caret below. */
export function mark(text: string, position: number): string {
  const at = Math.min(position, text.length);
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const lineEnd = text.indexOf('\n', at);
  const line = text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd);
  const column = at - lineStart;
  const from = Math.max(0, Math.min(column - Math.floor(width / 2), line.length - width));
  const before = oneLine(line.slice(from, column));
  const shown = `${before}${oneLine(line.slice(column, from + width))}`;
  return `${indent}${shown}\n${indent}${' '.repeat(Bun.stringWidth(before))}^`;
}
