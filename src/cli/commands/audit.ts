import type { Command } from 'commander';
import { auditAsJson } from '../../audit/audit-as-json.ts';
import { type Audit, openIncidents, takeAudit } from '../../audit/take-audit.ts';
import { type Acknowledgement, acknowledge, selectAcknowledgements } from '../../store/audit/acknowledge.ts';
import { streamName } from '../../stream/subjects.ts';
import { describeAudit, incidentOf } from '../audit/describe-audit.ts';
import { change } from '../audited.ts';
import { withDatabase, withNats } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { wholeNumber } from '../parsers.ts';

export function addAuditCommand(program: Command, context: CliContext): void {
  const audit = defineCommand(program, {
    usage: 'audit',
    summary: 'account for every message that was accepted',
    details:
      'accepted = stored + duplicates + quarantined + internal + in flight + unaccounted, exact at ' +
      'any time. Unaccounted is what left the stream without an outcome: exit code 1 until it is ' +
      'acknowledged. A resend that JetStream itself drops is not accepted a second time, and not ' +
      'counted here.',
    examples: ['audit', 'audit --json'],
  })
    .helpCommand(false)
    .action(async (_options: unknown, self: Command) => {
      const invocation = invocationOf(context, self);
      const { audit, acknowledged } = await audited(invocation);
      const { terminal, json } = invocation;
      if (json) terminal.out(toJson(auditAsJson(audit, acknowledged)));
      else terminal.out(describeAudit(audit, acknowledged, terminal.columns));
      const incidents = openIncidents(audit);
      if (incidents.length > 0) throw new CliError(incidents.map(incidentOf).join('\n'));
    });
  addAcknowledge(audit, context);
}

interface AcknowledgeOptions {
  readonly epoch: number;
  readonly note: string;
}

function addAcknowledge(audit: Command, context: CliContext): void {
  defineCommand(audit, {
    usage: 'acknowledge',
    summary: 'note that an incident was looked into',
    details:
      'The messages of this epoch that are unaccounted for now stay so and are shown, with the ' +
      'note, but no longer turn status and audit red. Should more go missing they turn red again.',
    examples: ['audit acknowledge --epoch 1 --note "purged, sent again"'],
  })
    .requiredOption('-e, --epoch <n>', 'of which epoch', wholeNumber(1, 2 ** 31 - 1))
    .requiredOption('--note <text>', 'what happened, for those who read it later')
    .action(async ({ epoch, note }: AcknowledgeOptions, self: Command) => {
      const invocation = invocationOf(context, self);
      const unaccounted = await acknowledged(invocation, epoch, note);
      const { terminal, json } = invocation;
      if (json) terminal.out(toJson({ epoch, unaccounted, note }));
      else terminal.out(`Acknowledged: ${unaccounted} messages of epoch ${epoch}.`);
    });
}

function acknowledged(invocation: Invocation, epoch: number, note: string): Promise<bigint> {
  return withBoth(invocation, async ({ pool, nc }) => {
    const { epochs } = await takeAudit({ nc, pool, stream: streamName });
    const account = epochs.find((each) => each.epoch === epoch);
    if (account === undefined) throw new CliError(`There is no epoch ${epoch}: tributary audit lists them.`);
    const unaccounted = account.unaccounted - account.acknowledged;
    if (unaccounted === 0n) throw new CliError(`Nothing to acknowledge in epoch ${epoch}.`);
    return change(
      pool,
      invocation,
      async (client) => {
        await acknowledge(client, { epoch, unaccounted, note });
        return unaccounted;
      },
      () => ({ action: 'audit.acknowledge', target: `epoch ${epoch}`, detail: { unaccounted, note } }),
    );
  });
}

function audited(
  invocation: Invocation,
): Promise<{ audit: Audit; acknowledged: readonly Acknowledgement[] }> {
  return withBoth(invocation, async ({ pool, nc }) => ({
    audit: await takeAudit({ nc, pool, stream: streamName }),
    acknowledged: await selectAcknowledgements(pool),
  }));
}

type Both = Pick<Parameters<typeof takeAudit>[0], 'nc' | 'pool'>;

function withBoth<T>(invocation: Invocation, work: (both: Both) => Promise<T>): Promise<T> {
  return withDatabase(invocation, (pool) => withNats(invocation, (nc) => work({ nc, pool })));
}
