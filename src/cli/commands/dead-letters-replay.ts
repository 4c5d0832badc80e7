import type { Command } from 'commander';
import {
  countReplayable,
  type Replayable,
  replayDeadLettersChunk,
} from '../../store/routes/dead-letters/replay-dead-letters.ts';
import { countDeadLetters, selectionText } from '../../store/routes/dead-letters/selection.ts';
import { changeInChunks } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import {
  addSelectionOptions,
  type SelectionOptions,
  selectionOf,
} from '../dead-letters/selection-options.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { JsonText, toJson } from '../output/json.ts';
import { createLazyBar } from '../output/lazy-bar.ts';
import { formatCount } from '../output/number.ts';

type Options = SelectionOptions & { readonly dryRun?: boolean };

export function addDeadLettersReplay(letters: Command, context: CliContext): void {
  const command = defineCommand(letters, {
    usage: 'replay',
    summary: 'send dead letters again',
    details:
      'Each leaves the dead letters in the transaction that queues it for its route, under the same webhook-id as ' +
      'before, and becomes a dead letter again when that fails. What has no route any more stays, and what waits for ' +
      'a route that is off: tributary route enable first.',
    examples: [
      'dead-letters replay --tenant acme --route alerts --dry-run',
      'dead-letters replay --reason GAVE_UP',
      'dead-letters replay --id 42',
    ],
  });
  addSelectionOptions(command, context.clock)
    .option('--dry-run', 'change nothing; say what would be sent')
    .action((options: Options, self: Command) => run(invocationOf(context, self), options));
}

async function run(invocation: Invocation, options: Options): Promise<void> {
  const { terminal, json } = invocation;
  const selection = selectionOf(options);
  const isDryRun = options.dryRun === true;
  const stop = invocation.signals.stop();
  const bar = createLazyBar(terminal, 'replaying');
  const { found, replayed } = await withDatabase(invocation, async (pool) => {
    const { newestId: upTo } = await countDeadLetters(pool, selection);
    const found = await countReplayable(pool, selection, upTo);
    if (isDryRun) return { found, replayed: 0 };
    const onProgress = (done: number) => bar.update(done, found.ready);
    const shown = new JsonText(selectionText(selection));
    const replayed = await changeInChunks(pool, invocation, {
      chunk: replayDeadLettersChunk(selection, upTo),
      note: { tenantId: selection.tenantId, action: 'dead-letters.replay', target: 'dead-letters' },
      detailOf: (done) => ({ selection: shown, replayed: done }),
      onProgress,
      stop,
    });
    return { found, replayed };
  }).finally(bar.stop);
  terminal.out(
    json ? toJson(asJson(found, { isDryRun, replayed })) : describe(found, { isDryRun, replayed }),
  );
  if (stop.aborted) throw new CliError('stopped before the end: the same replay again goes on from there.');
}

interface Done {
  readonly isDryRun: boolean;
  readonly replayed: number;
}

function asJson(found: Replayable, { isDryRun, replayed }: Done): unknown {
  return {
    dry_run: isDryRun,
    ready: found.ready,
    replayed,
    route_removed: found.routeRemoved,
    route_disabled: found.routeDisabled,
    message_gone: found.messageGone,
  };
}

function describe(found: Replayable, { isDryRun, replayed }: Done): string {
  const left: readonly (readonly [number, string])[] = [
    [found.routeRemoved, 'their route was removed'],
    [found.routeDisabled, 'their route is off (tributary route enable turns it on)'],
    [found.messageGone, 'their message is not stored any more'],
  ];
  return [
    isDryRun
      ? `Dead letters that would be sent again: ${formatCount(found.ready)}. Nothing was changed.`
      : `Dead letters queued again: ${formatCount(replayed)}. What becomes of them: tributary route show`,
    ...left.filter(([count]) => count > 0).map(([count, why]) => `${formatCount(count)} stay: ${why}.`),
  ].join('\n');
}
