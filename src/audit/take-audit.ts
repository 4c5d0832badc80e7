import type { NatsConnection } from '@nats-io/nats-core';
import { auditEpochs, type EpochAccount } from '../store/audit/audit-epochs.ts';
import { openEpoch } from '../store/statements/open-epoch.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { streamSequences } from '../stream/stream-sequences.ts';

/** What became of everything that the stream accepted, as of one instant. */
export interface Audit {
  readonly epochs: readonly EpochAccount[];
  readonly total: AuditTotal;
}

export type AuditTotal = Readonly<Record<AuditCount, bigint>>;

const counts = [
  'accepted',
  'stored',
  'duplicates',
  'quarantined',
  'internal',
  'inFlight',
  'unaccounted',
] as const;
export type AuditCount = (typeof counts)[number];

export interface AuditOptions {
  readonly nc: NatsConnection;
  readonly db: Queryable;
  readonly stream: string;
}

/**
 * Takes stock: reads the stream, and after that the database. Exact at any time, under load too, and cheap enough for
 * every minute.
 *
 * @throws what NATS and the database throw: without both there is no audit
 */
export async function takeAudit({ nc, db, stream }: AuditOptions): Promise<Audit> {
  const seen = await streamSequences(nc, stream);
  // A stream whose messages no worker has met yet has no epoch.
  if (seen !== undefined) await openEpoch(db, stream, seen.created);
  const epochs = await auditEpochs(db, stream, seen);
  return { epochs, total: totalOf(epochs) };
}

function totalOf(epochs: readonly EpochAccount[]): AuditTotal {
  const sum = (name: AuditCount) => epochs.reduce((total, epoch) => total + epoch[name], 0n);
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
