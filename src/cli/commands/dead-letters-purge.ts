import type { Command } from 'commander';
import { purgeDeadLettersChunk } from '../../store/routes/dead-letters/purge-dead-letters.ts';
import { countDeadLetters, selectionText } from '../../store/routes/dead-letters/selection.ts';
import type { CliContext } from '../context.ts';
import {
  addSelectionOptions,
  type SelectionOptions,
  selectionOf,
} from '../dead-letters/selection-options.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { purgeSelected } from '../purge-selected.ts';

type Options = SelectionOptions & { readonly dryRun?: boolean };

export function addDeadLettersPurge(letters: Command, context: CliContext): void {
  const command = defineCommand(letters, {
    usage: 'purge',
    summary: 'delete dead letters for good',
    details: 'They stay counted: route show knows of them. The messages themselves stay, in telemetry.',
    examples: [
      'dead-letters purge --reason ROUTE_REMOVED --dry-run',
      'dead-letters purge --tenant acme --route alerts --before 7d',
    ],
  });
  addSelectionOptions(command, context.clock)
    .option('--dry-run', 'delete nothing; say how many it would be')
    .action(async (options: Options, self: Command) =>
      purgeSelected(invocationOf(context, self), {
        selection: selectionOf(options),
        isDryRun: options.dryRun === true,
        noun: 'dead letters',
        count: countDeadLetters,
        chunk: purgeDeadLettersChunk,
        target: 'dead-letters',
        selectionText,
      }),
    );
}
