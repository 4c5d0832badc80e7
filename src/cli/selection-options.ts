import { type Command, InvalidArgumentError } from 'commander';
import type { Selection } from '../store/listings/selection.ts';
import { usageError } from './exit-codes.ts';
import { parseSince } from './output/duration.ts';

/** What says which rows, whatever the table; a table adds what it has besides. */
export interface CommonSelectionOptions {
  readonly tenant?: string;
  readonly reason?: string;
  readonly id?: readonly bigint[];
  readonly before?: number;
  readonly all?: boolean;
}

/** `--id`, `--before` and `--all`. @param past what happened to a row before that time */
export function addCommonSelection(command: Command, past: string, clock: () => number): Command {
  return command
    .option('-i, --id <id...>', 'these, by their numbers in the list', collectIds)
    .option('-b, --before <when>', `${past} before a time, or so long ago: 24h, 7d`, (text) =>
      parseSince(text, clock()),
    )
    .option('--all', 'all there are');
}

/** @throws CliError with `whatToSay` when nothing says which. */
export function requireSelection<S extends Selection>(
  selection: S,
  all: boolean | undefined,
  whatToSay: string,
): S {
  const isOpen = Object.values(selection).every((part) => part === undefined);
  if (isOpen && all !== true) throw usageError(whatToSay);
  return selection;
}

/** A parser for one of these reasons, in any case of letters and with `-` for `_`. */
export function oneOfReasons(reasons: readonly string[]): (text: string) => string {
  return (text) => {
    const wanted = text.toUpperCase().replaceAll('-', '_');
    if (reasons.includes(wanted)) return wanted;
    throw new InvalidArgumentError(`There is no such reason. The reasons are ${reasons.join(', ')}.`);
  };
}

export function parseListedId(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('Give the number from the list.');
}

/** Several behind one `--id`, or separated by commas. */
function collectIds(text: string, before: readonly bigint[] | undefined): bigint[] {
  return [...(before ?? []), ...text.split(',').map((part) => parseListedId(part.trim()))];
}
