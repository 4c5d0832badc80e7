import type { Audit } from '../../audit/take-audit.ts';
import type { AuditedCounts } from '../../model/audited-counts.ts';
import type { Acknowledgement } from '../../store/audit/acknowledge.ts';
import type { EpochAccount } from '../../store/audit/audit-epochs.ts';
import { formatCount } from '../output/number.ts';
import { type Column, formatTable, oneLine } from '../output/table.ts';

/** So many fit a line of 80 columns, with counts up to 9,999,999,999. */
const epochsAside = 4;

/** The audit for people: a column for each epoch. */
export function describeAudit(
  { epochs, total }: Audit,
  acknowledged: readonly Acknowledgement[],
  width: number,
): string {
  const named: NamedTotal[] = epochs.map((account) => ({
    ...account,
    name: `${account.epoch}${account.live ? '' : ' CLOSED'}`,
  }));
  const shown = named.length === 1 ? named : [...named, { ...total, name: 'ALL' }];
  const tables: string[] = [];
  for (let at = 0; at < shown.length || at === 0; at += epochsAside)
    tables.push(formatTable(columnsOf(shown.slice(at, at + epochsAside)), counts, width));
  const notes = acknowledged.map(
    ({ epoch, unaccounted, note, acknowledgedAt }) =>
      `Acknowledged ${acknowledgedAt.toISOString()}: ${unaccounted} of epoch ${epoch}, ${oneLine(note)}`,
  );
  return [tables.join('\n\n'), ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
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

type NamedTotal = AuditedCounts & { readonly name: string };
type Count = readonly [name: string, of: (total: AuditedCounts) => bigint];

const counts: readonly Count[] = [
  ['accepted', ({ accepted }) => accepted],
  ['stored', ({ stored }) => stored],
  ['duplicates', ({ duplicates }) => duplicates],
  ['quarantined', ({ quarantined }) => quarantined],
  ['internal', ({ internal }) => internal],
  ['in flight', ({ inFlight }) => inFlight],
  ['unaccounted', ({ unaccounted }) => unaccounted],
];

function columnsOf(totals: readonly NamedTotal[]): Column<Count>[] {
  return [
    { title: 'EPOCH', value: ([name]) => name },
    ...totals.map(
      (total): Column<Count> => ({
        title: total.name,
        value: ([, of]) => formatCount(Number(of(total))),
        align: 'right',
      }),
    ),
  ];
}
