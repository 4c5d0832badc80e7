import type { Command } from 'commander';
import { purgeQuarantine } from '../../store/quarantine/purge.ts';
import { countSelected } from '../../store/quarantine/select-page.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { createLazyBar } from '../output/lazy-bar.ts';
import { formatCount } from '../output/number.ts';
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
    .action((options: Options, self: Command) => run(invocationOf(context, self), options));
}

async function run(invocation: Invocation, options: Options): Promise<void> {
  const { terminal, json } = invocation;
  const selection = selectionOf(options);
  const stop = invocation.signals.stop();
  const bar = createLazyBar(terminal, 'purging');
  const { rows, purged } = await withDatabase(invocation, async (pool) => {
    const { rows, newestId } = await countSelected(pool, selection);
    if (options.dryRun === true) return { rows, purged: 0 };
    const onProgress = (done: number) => bar.update(done, rows);
    return { rows, purged: await purgeQuarantine(pool, selection, { upTo: newestId, onProgress, stop }) };
  }).finally(bar.stop);
  if (json) terminal.out(toJson({ dry_run: options.dryRun === true, messages: rows, purged }));
  else if (options.dryRun === true)
    terminal.out(`${formatCount(rows)} messages would be deleted. Nothing was.`);
  else terminal.out(`${formatCount(purged)} messages were deleted.`);
  if (stop.aborted) throw new CliError('stopped before the end: the same purge again goes on from there.');
}
