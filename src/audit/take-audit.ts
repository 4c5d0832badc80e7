import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { AuditedCounts } from '../model/audited-counts.ts';
import { auditEpochs, type EpochAccount } from '../store/audit/audit-epochs.ts';
import { type EpochMark, raiseMark, selectMarks } from '../store/audit/marks.ts';
import { openEpoch } from '../store/statements/open-epoch.ts';
import { openNextEpoch } from '../store/statements/open-next-epoch.ts';
import { type StreamSequences, streamSequences } from '../stream/stream-sequences.ts';

/** What became of everything that the stream accepted, as of one instant. */
export interface Audit {
  readonly epochs: readonly EpochAccount[];
  readonly total: AuditedCounts;
}

export interface AuditOptions {
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  readonly stream: string;
}

/**
 * Takes stock: reads the stream, and after that the database. Exact at any time, under load too, and cheap enough for
 * every minute.
 *
 * @throws what NATS and the database throw: without both there is no audit
 */
export async function takeAudit({ nc, pool, stream }: AuditOptions): Promise<Audit> {
  const marks = await selectMarks(pool, stream);
  const seen = await streamSequences(nc, stream);
  if (seen !== undefined) await remember(pool, stream, seen, marks);
  const epochs = await auditEpochs(pool, stream, seen);
  return { epochs, total: totalOf(epochs) };
}

/**
 * Keeps the stream's mark. A stream that has assigned less than an earlier audit saw was restored from an older copy, or
 * has lost its end with the power: what it assigns from here on belongs to a next epoch.
 */
async function remember(
  pool: pg.Pool,
  stream: string,
  { created, lastSeq }: StreamSequences,
  marks: readonly EpochMark[],
): Promise<void> {
  const mark = marks.find((each) => each.created === created);
  if (mark === undefined) {
    // A stream whose messages no worker has met yet has no epoch.
    const [opened] = await openEpoch(pool, stream, created);
    if (opened?.baseSeq === 0) await raiseMark(pool, opened.epoch, lastSeq);
  } else if (lastSeq >= mark.lastMark) {
    await raiseMark(pool, mark.epoch, lastSeq);
  } else {
    const first = { firstSeq: lastSeq + 1, firstTimestampNs: undefined };
    await openNextEpoch(pool, { stream, created, after: mark.epoch, ...first });
  }
}

function totalOf(epochs: readonly EpochAccount[]): AuditedCounts {
  const sum = (name: keyof AuditedCounts) => epochs.reduce((total, epoch) => total + epoch[name], 0n);
  return {
    accepted: sum('accepted'),
    stored: sum('stored'),
    duplicates: sum('duplicates'),
    quarantined: sum('quarantined'),
    internal: sum('internal'),
    inFlight: sum('inFlight'),
    unaccounted: sum('unaccounted'),
  };
}

/** What asks for a person: messages that are not accounted for and that nobody has acknowledged. */
export function openIncidents({ epochs }: Pick<Audit, 'epochs'>): EpochAccount[] {
  return epochs.filter(({ unaccounted, acknowledged }) => unaccounted < 0n || unaccounted > acknowledged);
}
