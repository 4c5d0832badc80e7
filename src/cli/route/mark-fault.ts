import { RouteFault, type RouteField } from '../../model/route-fault.ts';
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
function markFault({ field, message, position }: RouteFault, text: string): CliError {
  const said = position === undefined ? message : message.replace(` (at character ${position + 1})`, '');
  const place = position === undefined ? '' : `\n${mark(text, position)}`;
  return usageError(`${words[field]} is refused: ${said}${place}`);
}

/** The line that holds the position, cut around it where it is long, and a caret below. */
export function mark(text: string, position: number): string {
  const at = Math.min(position, text.length);
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const lineEnd = text.indexOf('\n', at);
  const left = charactersOf(oneLine(text.slice(lineStart, at)));
  const right = charactersOf(oneLine(text.slice(at, lineEnd === -1 ? undefined : lineEnd)));
  const rightColumns = Math.min(columnsOf(right), Math.ceil(width / 2));
  const before = fitting(left.reverse(), width - rightColumns).reverse();
  const shown = [...before, ...fitting(right, width - columnsOf(before))].join('');
  return `${indent}${shown}\n${indent}${' '.repeat(columnsOf(before))}^`;
}

const segmenter = new Intl.Segmenter();

/** As they are seen: a letter with its accents, an emoji made of several. */
function charactersOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** A wide character takes two. */
function columnsOf(characters: readonly string[]): number {
  return characters.reduce((sum, each) => sum + Bun.stringWidth(each), 0);
}

function fitting(characters: readonly string[], columns: number): string[] {
  const kept: string[] = [];
  let used = 0;
  for (const each of characters) {
    used += Bun.stringWidth(each);
    if (used > columns) break;
    kept.push(each);
  }
  return kept;
}
