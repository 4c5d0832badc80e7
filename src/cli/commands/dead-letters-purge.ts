import type { Command } from 'commander';
import { purgeDeadLetters } from '../../store/routes/dead-letters/purge-dead-letters.ts';
import { countDeadLetters } from '../../store/routes/dead-letters/selection.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import {
  addSelectionOptions,
  type SelectionOptions,
  selectionOf,
} from '../dead-letters/selection-options.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { createLazyBar } from '../output/lazy-bar.ts';
import { formatCount } from '../output/number.ts';

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
    .action((options: Options, self: Command) => run(invocationOf(context, self), options));
}

async function run(invocation: Invocation, options: Options): Promise<void> {
  const { terminal, json } = invocation;
  const selection = selectionOf(options);
  const isDryRun = options.dryRun === true;
  const stop = invocation.signals.stop();
  const bar = createLazyBar(terminal, 'purging');
  const { rows, purged } = await withDatabase(invocation, async (pool) => {
    const { rows, newestId } = await countDeadLetters(pool, selection);
    if (isDryRun) return { rows, purged: 0 };
    const onProgress = (done: number) => bar.update(done, rows);
    return { rows, purged: await purgeDeadLetters(pool, selection, { upTo: newestId, onProgress, stop }) };
  }).finally(bar.stop);
  if (json) terminal.out(toJson({ dry_run: isDryRun, dead_letters: rows, purged }));
  else if (isDryRun) terminal.out(`${formatCount(rows)} dead letters would be deleted. Nothing was.`);
  else terminal.out(`${formatCount(purged)} dead letters were deleted.`);
  if (stop.aborted) throw new CliError('stopped before the end: the same purge again goes on from there.');
}
