import type { DryRunResult } from '../../worker/replay/dry-run.ts';
import type { ReplayResult } from '../../worker/replay/replay.ts';
import type { Invocation } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { formatCount } from '../output/number.ts';
import { formatFields } from '../output/table.ts';

const stopped = 'stopped before the end: the same replay again goes on from there.';

export function reportDryRun({ terminal, json }: Invocation, result: DryRunResult): void {
  const { messages, tokens, stored, duplicates, refused, altered, complete } = result;
  const match = tokens.current + tokens.earlier;
  if (json) {
    const would = { stored, duplicates, refused, reasons: Object.fromEntries(result.reasons), altered };
    terminal.out(toJson({ dry_run: true, messages, tokens: { match, ...tokens }, would, complete }));
  } else if (messages === 0) terminal.note('Nothing in the quarantine is meant by this.');
  else {
    const earlier = tokens.earlier > 0 ? `, ${formatCount(tokens.earlier)} of them an earlier one` : '';
    terminal.out(
      formatFields([
        ['messages', formatCount(messages)],
        ['token', `${formatCount(match)} match${earlier}`],
        ['', `${formatCount(tokens.mismatch)} mismatch`],
        ['', `${formatCount(tokens.none)} none`],
        ['would be', `${formatCount(stored)} stored`],
        ['', `${formatCount(duplicates)} duplicates`],
        ['', `${formatCount(refused)} still refused`],
        ...reasonFields(result.reasons),
      ]),
    );
    if (altered > 0)
      terminal.out(
        `${formatCount(altered)} can never be replayed: a token stood where values stand, and was cut out.`,
      );
    terminal.out('Nothing was changed.');
  }
  if (!complete) throw new CliError('stopped before the end: these are not all.');
}

export function reportReplay({ terminal, json }: Invocation, result: ReplayResult): void {
  const { replayId, stored, duplicates, refused, passedOver, complete } = result;
  if (json) {
    const reasons = Object.fromEntries(result.reasons);
    terminal.out(
      toJson({
        replay_id: replayId,
        stored,
        duplicates,
        refused,
        reasons,
        passed_over: passedOver,
        complete,
      }),
    );
  } else if (replayId === undefined) terminal.note('Nothing in the quarantine is meant by this.');
  else {
    terminal.out(
      formatFields([
        ['replay', String(replayId)],
        ['stored', formatCount(stored)],
        [
          'duplicates',
          `${formatCount(duplicates)}${duplicates > 0 ? ' (stored before, so they left too)' : ''}`,
        ],
        ['still refused', formatCount(refused)],
        ...reasonFields(result.reasons),
      ]),
    );
    if (passedOver > 0)
      terminal.out(`${formatCount(passedOver)} were passed over: another replay has them in hand.`);
  }
  if (!complete) throw new CliError(stopped);
}

function reasonFields(reasons: ReadonlyMap<string, number>): [string, string][] {
  return [...reasons]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => ['', `  ${formatCount(count)} ${reason}`]);
}
