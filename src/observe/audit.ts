import { Counter, Gauge, type Registry } from 'prom-client';
import type { AuditedCounts } from '../model/audited-counts.ts';

/** What the process that audits reports; nothing in all others. */
export interface AuditMetrics {
  audited(counts: AuditedCounts, unacknowledged: bigint, elapsedMs: number, atEpochSeconds: number): void;
  /** The last audit is no longer known to hold. */
  failed(): void;
  compacted(claims: number): void;
}

export function createAuditMetrics(registry: Registry): AuditMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const messages = new Gauge({
    name: 'tributary_audit_messages',
    help: 'Messages that the stream accepted since the first epoch, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  const unaccounted = gauge(
    'tributary_audit_unaccounted',
    'Accepted messages that left the stream without an outcome. NaN: unknown, the audit fails or is not done here.',
  );
  const open = gauge('tributary_audit_unacknowledged', 'Of these, how many nobody has acknowledged.');
  const last = gauge('tributary_audit_last_timestamp_seconds', 'When the last audit succeeded; 0: none yet.');
  const seconds = gauge('tributary_audit_seconds', 'Duration of the last audit.');
  const compacted = new Counter({
    name: 'tributary_audit_compacted_claims_total',
    help: 'Claims that were compacted into their epoch.',
    registers,
  });
  const unknown = () => {
    unaccounted.set(Number.NaN);
    open.set(Number.NaN);
    messages.reset();
  };
  unknown();
  return {
    audited(counts, unacknowledged, elapsedMs, atEpochSeconds) {
      messages.set({ outcome: 'stored' }, Number(counts.stored));
      messages.set({ outcome: 'duplicate' }, Number(counts.duplicates));
      messages.set({ outcome: 'quarantined' }, Number(counts.quarantined));
      messages.set({ outcome: 'internal' }, Number(counts.internal));
      messages.set({ outcome: 'in_flight' }, Number(counts.inFlight));
      unaccounted.set(Number(counts.unaccounted));
      open.set(Number(unacknowledged));
      seconds.set(elapsedMs / 1_000);
      last.set(atEpochSeconds);
    },
    failed: unknown,
    compacted: (claims) => compacted.inc(claims),
  };
}
