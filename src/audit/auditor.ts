import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { AuditMetrics } from '../observe/audit.ts';
import type { EpochAccount } from '../store/audit/audit-epochs.ts';
import { compactClaims, selectCompactable } from '../store/maintenance/compact-claims.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { consumerInfo, orMissing, streamInfo } from '../stream/stream-info.ts';
import { type Audit, openIncidents, takeAudit } from './take-audit.ts';

export interface AuditorOptions {
  /** Undefined while NATS has not been reached yet. */
  readonly nats: () => NatsConnection | undefined;
  readonly pool: pg.Pool;
  readonly stream: string;
  readonly consumer: string;
  readonly metrics: AuditMetrics;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Told of each audit. */
  readonly onAudit?: (summary: AuditSummary) => void;
}

export const auditorDefaults = {
  intervalMs: 10_000,
  /** Claims are compacted when there are so many … */
  compactRows: 20_000,
  /** … and however few there are when the last time was so long ago. */
  compactAfterMs: 300_000,
  /** Settling is held up by this much at most. */
  compactWaitMs: 250,
} as const;

/** What others are told of the last audit. */
export interface AuditSummary {
  readonly accepted: number;
  readonly inFlight: number;
  readonly unaccounted: number;
  readonly unacknowledged: number;
  readonly atMs: number;
}

export interface Auditor {
  /** Undefined: not done by this process, or the last one failed. */
  readonly summary: AuditSummary | undefined;
  /** One audit, and the compaction that is due. Never throws. @returns when to come again, in ms */
  run(db: Queryable): Promise<number>;
}

/** The periodic audit, for the one process that does the maintenance. */
export function createAuditor(options: AuditorOptions): Auditor {
  const { metrics, log, now } = options;
  const state = {
    summary: undefined as AuditSummary | undefined,
    failing: false,
    reported: 0,
    compactedAtMs: now(),
  };
  const fail = (error: unknown) => {
    state.summary = undefined;
    metrics.failed();
    if (!state.failing) log.warn({ event: 'audit_failed', error: String(error) }, 'the audit failed');
    state.failing = true;
  };
  return {
    get summary() {
      return state.summary;
    },
    async run(db) {
      const nc = options.nats();
      try {
        if (nc === undefined) throw new Error('NATS has not been reached yet');
        const audit = await audited(options, nc);
        if (audit.summary.unacknowledged !== state.reported) report(log, audit.incidents);
        state.summary = audit.summary;
        state.reported = audit.summary.unacknowledged;
        state.failing = false;
      } catch (error) {
        fail(error);
        return auditorDefaults.intervalMs;
      }
      options.onAudit?.(state.summary);
      const isLong = now() - state.compactedAtMs >= auditorDefaults.compactAfterMs;
      if (isLong) state.compactedAtMs = now();
      try {
        metrics.compacted(await compact(options, nc, db, isLong ? 1 : auditorDefaults.compactRows));
      } catch (error) {
        log.warn({ event: 'compaction_failed', error: String(error) }, 'claims were not compacted');
      }
      return auditorDefaults.intervalMs;
    },
  };
}

async function audited(options: AuditorOptions, nc: NatsConnection) {
  const { metrics, now, wallClock } = options;
  const startedAt = now();
  const audit = await takeAudit({ ...options, nc });
  const incidents = openIncidents(audit);
  const unacknowledged = incidents.reduce((sum, each) => sum + each.unaccounted - each.acknowledged, 0n);
  metrics.audited(audit.total, unacknowledged, now() - startedAt, wallClock() / 1_000);
  return { incidents, summary: summaryOf(audit, unacknowledged, wallClock()) };
}

function report(log: Logger, incidents: readonly EpochAccount[]): void {
  for (const { epoch, unaccounted, unaccountedSequences: sequences } of incidents) {
    const fields = { event: 'audit_unaccounted', epoch, unaccounted: Number(unaccounted), sequences };
    log.error(fields, 'accepted messages are not accounted for: see tributary audit');
  }
}

function summaryOf({ total }: Audit, unacknowledged: bigint, atMs: number): AuditSummary {
  return {
    accepted: Number(total.accepted),
    inFlight: Number(total.inFlight),
    unaccounted: Number(total.unaccounted),
    unacknowledged: Number(unacknowledged),
    atMs,
  };
}

/** Up to what is acknowledged and gone from the stream: redeliveries of anything else are likely, and are cheaper so. */
async function compact(
  { stream, consumer, pool }: AuditorOptions,
  nc: NatsConnection,
  db: Queryable,
  minRows: number,
): Promise<number> {
  const live = await orMissing(streamInfo(nc, stream));
  const worker = await orMissing(consumerInfo(nc, stream, consumer));
  const targets = await selectCompactable(pool, stream, {
    created: live?.created,
    to: Math.min(worker?.ackFloorSeq ?? 0, (live?.state.firstSeq ?? 1) - 1),
  });
  return compactClaims(db, { targets, minRows, waitMs: auditorDefaults.compactWaitMs });
}
