import type { Command } from 'commander';
import { type Audit, type AuditTotal, openIncidents, takeAudit } from '../../audit/take-audit.ts';
import type { EpochAccount } from '../../store/audit/audit-epochs.ts';
import { streamName } from '../../stream/subjects.ts';
import { withDatabase, withNats } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { formatCount } from '../output/number.ts';
import { type Column, formatTable } from '../output/table.ts';

export function addAuditCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'audit',
    summary: 'account for every message that was accepted',
    details:
      'accepted = stored + duplicates + quarantined + internal + in flight + unaccounted, exact at ' +
      'any time. Unaccounted is what left the stream without an outcome: exit code 1. A resend ' +
      'that JetStream itself drops is not accepted a second time, and not counted here.',
    examples: ['audit', 'audit --json'],
  }).action(async (_options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    const audit = await audited(invocation);
    const { terminal, json } = invocation;
    if (json) terminal.out(toJson(auditAsJson(audit)));
    else terminal.out(describeAudit(audit, terminal.columns));
    refuseIncidents(audit);
  });
}

function audited(invocation: Invocation): Promise<Audit> {
  return withDatabase(invocation, (pool) =>
    withNats(invocation, (nc) => takeAudit({ nc, pool, stream: streamName })),
  );
}

function refuseIncidents(audit: Audit): void {
  const incidents = openIncidents(audit);
  if (incidents.length === 0) return;
  throw new CliError(incidents.map(sentenceOf).join('\n'));
}

/** What happened and what to do, for one epoch. */
export function sentenceOf({ epoch, unaccounted, unaccountedSequences }: EpochAccount): string {
  if (unaccounted < 0n)
    return `epoch ${epoch}: the ledger holds ${-unaccounted} outcomes more than there are claims; was a table changed by hand?`;
  const where = unaccountedSequences === '{}' ? '' : `, sequences ${unaccountedSequences} among them`;
  return `epoch ${epoch}: ${unaccounted} accepted messages left the stream without an outcome${where}.`;
}

function describeAudit({ epochs, total }: Audit, width: number): string {
  const rows: AuditRow[] = epochs.map((account) => ({
    ...account,
    name: `${account.epoch}${account.live ? '' : ' (closed)'}`,
  }));
  return formatTable(columns, epochs.length === 1 ? rows : [...rows, { ...total, name: 'all' }], width);
}

type AuditRow = AuditTotal & { readonly name: string };

const count = (title: string, value: (row: AuditRow) => bigint): Column<AuditRow> => ({
  title,
  value: (row) => formatCount(Number(value(row))),
  align: 'right',
});

const columns: readonly Column<AuditRow>[] = [
  { title: 'EPOCH', value: ({ name }) => name },
  count('ACCEPTED', ({ accepted }) => accepted),
  count('STORED', ({ stored }) => stored),
  count('DUPLICATES', ({ duplicates }) => duplicates),
  count('QUARANTINED', ({ quarantined }) => quarantined),
  count('INTERNAL', ({ internal }) => internal),
  count('IN FLIGHT', ({ inFlight }) => inFlight),
  count('UNACCOUNTED', ({ unaccounted }) => unaccounted),
];

function auditAsJson({ epochs, total }: Audit): unknown {
  return {
    ...countsAsJson(total),
    epochs: epochs.map((account) => ({
      epoch: account.epoch,
      stream: account.stream,
      created: account.created,
      opened_at: account.openedAt,
      live: account.live,
      base_seq: account.baseSeq,
      last_seq: account.lastSeq,
      ...countsAsJson(account),
      unaccounted_sequences: account.unaccountedSequences,
      acknowledged: account.acknowledged,
    })),
  };
}

function countsAsJson(counts: AuditTotal): Record<string, bigint> {
  const { accepted, stored, duplicates, quarantined, internal, inFlight, unaccounted } = counts;
  return { accepted, stored, duplicates, quarantined, internal, in_flight: inFlight, unaccounted };
}
