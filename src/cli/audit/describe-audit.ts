import type { Audit, AuditTotal } from '../../audit/take-audit.ts';
import type { Acknowledgement } from '../../store/audit/acknowledge.ts';
import type { EpochAccount } from '../../store/audit/audit-epochs.ts';
import { formatCount } from '../output/number.ts';
import { type Column, formatTable, oneLine } from '../output/table.ts';

/** The audit for people. */
export function describeAudit(
  { epochs, total }: Audit,
  acknowledged: readonly Acknowledgement[],
  width: number,
): string {
  const rows: AuditRow[] = epochs.map((account) => ({
    ...account,
    name: `${account.epoch}${account.live ? '' : ' (closed)'}`,
  }));
  const table = formatTable(
    columns,
    epochs.length === 1 ? rows : [...rows, { ...total, name: 'all' }],
    width,
  );
  const notes = acknowledged.map(
    ({ epoch, unaccounted, note, acknowledgedAt }) =>
      `Acknowledged ${acknowledgedAt.toISOString()}: ${unaccounted} of epoch ${epoch}, ${oneLine(note)}`,
  );
  return [table, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
}

/** What happened and what to do, for an epoch with messages that are not accounted for. */
export function incidentOf(account: EpochAccount): string {
  const { epoch, unaccounted, unaccountedSequences, acknowledged } = account;
  if (unaccounted < 0n) {
    return (
      `epoch ${epoch}: there are ${-unaccounted} outcomes more than claims. Somebody changed claims, ledger or ` +
      'stream_epochs by hand: restore these tables.'
    );
  }
  const beside = acknowledged === 0n ? '' : `, ${acknowledged} of them acknowledged`;
  const where = unaccountedSequences === '{}' ? '' : ` The first sequences: ${unaccountedSequences}.`;
  return (
    `epoch ${epoch}: ${unaccounted} accepted messages left the stream without an outcome${beside}.${where} ` +
    'Somebody deleted or purged them, restored an older copy, or the power went; devices that keep what they sent ' +
    `can send it again. When looked into: tributary audit acknowledge --epoch ${epoch} --note "…".`
  );
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

/** The audit for programs. */
export function auditAsJson({ epochs, total }: Audit, acknowledged: readonly Acknowledgement[]): unknown {
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
      acknowledgements: acknowledged
        .filter(({ epoch }) => epoch === account.epoch)
        .map(({ unaccounted, note, acknowledgedAt }) => ({
          unaccounted,
          note,
          acknowledged_at: acknowledgedAt,
        })),
    })),
  };
}

function countsAsJson(counts: AuditTotal): Record<string, bigint> {
  const { accepted, stored, duplicates, quarantined, internal, inFlight, unaccounted } = counts;
  return { accepted, stored, duplicates, quarantined, internal, in_flight: inFlight, unaccounted };
}
