import { type Command, InvalidArgumentError } from 'commander';
import { deadLetterReasons } from '../../model/dead-letter.ts';
import type { DeadLetterSelection } from '../../store/routes/dead-letters/selection.ts';
import { usageError } from '../exit-codes.ts';
import { parseSince } from '../output/duration.ts';
import { parseRouteName, parseTenantId } from '../parsers.ts';

export type SelectionOptions = {
  readonly tenant?: string;
  readonly route?: string;
  readonly reason?: string;
  readonly id?: readonly bigint[];
  readonly before?: number;
  readonly all?: boolean;
};

/** Gives a command the options that say which dead letters it is for. */
export function addSelectionOptions(command: Command, clock: () => number): Command {
  return command
    .option('-t, --tenant <tenant_id>', 'those of this tenant', parseTenantId)
    .option('--route <name>', 'those of routes with this name', parseRouteName)
    .option('-r, --reason <reason>', 'those with this reason', parseDeadReason)
    .option('-i, --id <id...>', 'these, by their numbers in the list', collectIds)
    .option('-b, --before <when>', 'dead before a time, or so long ago: 24h, 7d', (text) =>
      parseSince(text, clock()),
    )
    .option('--all', 'all there are');
}

/** @throws CliError when nothing says which. */
export function selectionOf(options: SelectionOptions): DeadLetterSelection {
  const { tenant, route, reason, id, before, all } = options;
  const selection = { tenantId: tenant, route, reason, ids: id, beforeMs: before };
  if (Object.values(selection).every((part) => part === undefined) && all !== true)
    throw usageError('say which dead letters: --tenant, --route, --reason, --id, --before, or --all.');
  return selection;
}

export function parseDeadReason(text: string): string {
  const wanted = text.toUpperCase().replaceAll('-', '_');
  const reason = deadLetterReasons.find((each) => each === wanted);
  if (reason !== undefined) return reason;
  throw new InvalidArgumentError(`There is no such reason. The reasons are ${deadLetterReasons.join(', ')}.`);
}

export function parseDeadLetterId(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('Give the number from the list.');
}

/** Several behind one `--id`, or separated by commas. */
function collectIds(text: string, before: readonly bigint[] | undefined): bigint[] {
  return [...(before ?? []), ...text.split(',').map((part) => parseDeadLetterId(part.trim()))];
}
