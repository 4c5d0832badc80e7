import type { Accepted } from '../model/verdict.ts';
import type { OutcomeCounts } from '../store/statements/add-to-ledger.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { type StatusThresholds, upsertDeviceState } from '../store/statements/upsert-device-state.ts';
import { devicesSeen } from './devices-seen.ts';
import type { LatestValues, StoredReading } from './latest/latest-values.ts';
import type { Claimed } from './plan.ts';

export interface RecordOptions {
  readonly thresholds: StatusThresholds;
  readonly latest: LatestValues;
}

/**
 * What outcomes mean for the devices: last seen first (this takes the device's lock), then sensors.
 * @returns what COMMIT sets off
 */
export async function recordDevices(
  db: Queryable,
  messages: readonly Claimed[],
  { thresholds, latest }: RecordOptions,
): Promise<(() => void) | undefined> {
  const stored: StoredReading[] = [];
  // A resend shows that the device lives, but its values are known already.
  const heard: Accepted[] = [];
  for (const { entry, verdict, outcome } of messages) {
    if (verdict.outcome !== 'accept') continue;
    if (outcome === 'stored') {
      const { reading, device } = verdict;
      // Written out: a spread copies slowly.
      stored.push({ outcome: 'accept', reading, device, identity: entry.decoded.identity.identity });
    }
    if (outcome === 'stored' || outcome === 'duplicate') heard.push(verdict);
  }
  const seen = devicesSeen(heard);
  if (seen.length > 0) await upsertDeviceState(db, seen, thresholds);
  return stored.length > 0 ? latest.record(db, stored) : undefined;
}

/** @throws Error when a message has no outcome: nothing may be committed then. */
export function countOutcomes(messages: readonly Claimed[]): OutcomeCounts {
  const counts = { stored: 0, duplicates: 0, quarantined: 0, internal: 0 };
  const column = {
    stored: 'stored',
    duplicate: 'duplicates',
    quarantined: 'quarantined',
    internal: 'internal',
  } as const;
  for (const { outcome, entry } of messages) {
    if (outcome === 'open') throw new Error(`sequence ${entry.message.seq} was claimed but got no outcome`);
    counts[column[outcome]] += 1;
  }
  return counts;
}
