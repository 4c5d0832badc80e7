import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { decodeOptionsOf } from '../../roles/settling/decode-options.ts';
import { type MendOutcome, MendRefusedError, mend } from '../../worker/replay/mend.ts';
import { withChange } from '../audited.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError, usageError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { judgingSettings } from '../quarantine/judging-settings.ts';
import { userOf } from '../quarantine/user-of.ts';
import { parseListedId } from '../selection-options.ts';
import { connectionSettings } from '../setting-flags.ts';

interface Options {
  readonly payload?: string;
  readonly file?: string;
  readonly by?: string;
}

export function addQuarantineMend(quarantine: Command, context: CliContext): void {
  defineCommand(quarantine, {
    usage: 'mend',
    summary: 'put another payload in the place of a quarantined message’s own',
    details:
      'The message stays in the quarantine as it came, and a replay judges the new payload: at the original arrival, ' +
      'under the original identity, by the token that it was sent with. It must hold no token itself. Says what a ' +
      'replay would make of it now; mending again replaces it. docs/quarantine.md shows how.',
    examples: [
      `quarantine mend 42 --payload '{"site_id":"s1","metrics":{"t":22}}'`,
      'quarantine mend 42 --file mended.json',
      'quarantine mend 42 --file -',
    ],
    settings: [...connectionSettings, ...judgingSettings],
  })
    .argument('<id>', 'its number in the list', parseListedId)
    .option('-p, --payload <json>', 'the payload, a JSON object')
    .option('-f, --file <file>', 'a file that holds it; - for standard input')
    .option('--by <name>', 'who mends; noted (default: the user of the system)')
    .action(async (id: bigint, options: Options, self: Command) => {
      const invocation = invocationOf(context, self);
      const payload = await payloadOf(options, invocation);
      report(invocation, id, await run(invocation, { id, payload, by: userOf(options.by, invocation) }));
    });
}

async function payloadOf({ payload, file }: Options, { readStdin }: Invocation): Promise<string> {
  if ((payload === undefined) === (file === undefined))
    throw usageError('give the payload with --payload, or a file that holds it with --file.');
  if (payload !== undefined) return payload;
  if (file === undefined || file === '-') return readStdin();
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(
      `the payload cannot be read from ${file} (${why}): name a file, or - for standard input.`,
    );
  }
}

async function run(
  invocation: Invocation,
  message: { readonly id: bigint; readonly payload: string; readonly by: string },
): Promise<MendOutcome> {
  const options = { decodeOptions: decodeOptionsOf(invocation.config), vouch: false };
  try {
    const outcome = await withChange(
      invocation,
      (db) => mend(db, { ...message, tenantId: undefined }, options),
      (mended) =>
        mended && {
          action: 'quarantine.mend',
          target: String(message.id),
          detail: {
            passes: mended.passes,
            reason: mended.passes ? undefined : mended.reason,
            by: message.by,
          },
        },
    );
    if (outcome !== undefined) return outcome;
  } catch (error) {
    if (error instanceof MendRefusedError) throw new CliError(error.message, undefined, { cause: error });
    throw error;
  }
  throw new CliError(`nothing is quarantined under ${message.id}: tributary quarantine list shows what is.`);
}

function report({ terminal, json }: Invocation, id: bigint, outcome: MendOutcome): void {
  if (json) {
    terminal.out(toJson({ quarantine_id: id, ...outcome }));
    return;
  }
  terminal.out(
    outcome.passes
      ? `Message ${id} is mended. It passes now: tributary quarantine replay --id ${id}`
      : `Message ${id} is mended. A replay would still refuse it: ${outcome.reason}\n${outcome.detail}`,
  );
}
