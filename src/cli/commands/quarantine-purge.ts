import type { Command } from 'commander';
import { purgeQuarantineChunk } from '../../store/quarantine/purge.ts';
import { countSelected } from '../../store/quarantine/select-page.ts';
import { selectionText } from '../../store/quarantine/selection.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { purgeSelected } from '../purge-selected.ts';
import { addSelectionOptions, type SelectionOptions, selectionOf } from '../quarantine/selection-options.ts';

type Options = SelectionOptions & { readonly dryRun?: boolean };

export function addQuarantinePurge(quarantine: Command, context: CliContext): void {
  const command = defineCommand(quarantine, {
    usage: 'purge',
    summary: 'delete quarantined messages for good',
    details: 'They stay counted: the audit and quarantine stats know of them.',
    examples: [
      'quarantine purge --reason TOKEN_INVALID --before 7d --dry-run',
      'quarantine purge --tenant acme --device sensor-1',
    ],
  });
  addSelectionOptions(command, context.clock)
    .option('--dry-run', 'delete nothing; say how many it would be')
    .action(async (options: Options, self: Command) =>
      purgeSelected(invocationOf(context, self), {
        selection: selectionOf(options),
        isDryRun: options.dryRun === true,
        noun: 'messages',
        count: countSelected,
        chunk: purgeQuarantineChunk,
        target: 'quarantine',
        selectionText,
      }),
    );
}
