import type { Command } from 'commander';
import { decodeOptionsOf } from '../../roles/settling/decode-options.ts';
import { dryRun } from '../../worker/replay/dry-run.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { usageError } from '../exit-codes.ts';
import { createLazyBar } from '../output/lazy-bar.ts';
import { judgingSettings } from '../quarantine/judging-settings.ts';
import { reportDryRun, reportReplay } from '../quarantine/replay-report.ts';
import { runReplay } from '../quarantine/run-replay.ts';
import { addSelectionOptions, type SelectionOptions, selectionOf } from '../quarantine/selection-options.ts';
import { userOf } from '../quarantine/user-of.ts';
import { connectionSettings } from '../setting-flags.ts';

type Options = SelectionOptions & {
  readonly vouch?: string;
  readonly by?: string;
  readonly dryRun?: boolean;
};

export function addQuarantineReplay(quarantine: Command, context: CliContext): void {
  const command = defineCommand(quarantine, {
    usage: 'replay',
    summary: 'judge quarantined messages again and store what passes now',
    details:
      'By the registry as it is now, with their original arrival and identity, without charging ' +
      'rate limits. What passes leaves the quarantine in the same transaction; the rest stays, ' +
      "with its reason of now. The token that a message was sent with must be the device's, or " +
      'one that it had before. --vouch takes messages with another token, or none, and those of ' +
      'revoked devices, and notes who vouched and why. Give it the settings that the workers have. ' +
      'docs/quarantine.md shows how.',
    examples: [
      'quarantine replay --reason UNREGISTERED_DEVICE --dry-run',
      'quarantine replay --reason UNREGISTERED_DEVICE --tenant acme',
      'quarantine replay --id 42 --vouch "typed wrong at setup, ticket 17"',
    ],
    settings: [...connectionSettings, ...judgingSettings],
  });
  addSelectionOptions(command, context.clock)
    .option('--vouch <why>', 'take them whatever their token says; the reason is noted')
    .option('--by <name>', 'who replays; noted (default: the user of the system)')
    .option('--dry-run', 'change nothing; say what would become of them')
    .action((options: Options, self: Command) => run(invocationOf(context, self), options));
}

async function run(invocation: Invocation, options: Options): Promise<void> {
  const { vouch } = options;
  if (vouch !== undefined && vouch.trim() === '')
    throw usageError('--vouch wants a reason: it is noted with what was stored.');
  const selection = selectionOf(options);
  const bar = createLazyBar(invocation.terminal, options.dryRun === true ? 'looking' : 'replaying');
  const common = {
    selection,
    vouch: vouch !== undefined,
    onProgress: bar.update,
    stop: invocation.signals.stop(),
  };
  const by = userOf(options.by, invocation);
  if (options.dryRun === true) {
    const result = await withDatabase(invocation, (db) =>
      dryRun({ ...common, db, decodeOptions: decodeOptionsOf(invocation.config) }),
    ).finally(bar.stop);
    reportDryRun(invocation, result);
    return;
  }
  const result = await runReplay(invocation, { ...common, by, vouchedBecause: vouch }).finally(bar.stop);
  reportReplay(invocation, result);
}
