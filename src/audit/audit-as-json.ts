import type { AuditedCounts } from '../model/audited-counts.ts';
import type { Acknowledgement } from '../store/audit/acknowledge.ts';
import type { Audit } from './take-audit.ts';

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

function countsAsJson(counts: AuditedCounts): Record<string, bigint> {
  const { accepted, stored, duplicates, quarantined, internal, inFlight, unaccounted } = counts;
  return { accepted, stored, duplicates, quarantined, internal, in_flight: inFlight, unaccounted };
}
