import type { RegistryView } from '../model/registry.ts';
import type { Reading } from '../model/verdict.ts';
import type { OutcomeCounts } from '../store/statements/add-to-ledger.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { type StatusThresholds, upsertDeviceState } from '../store/statements/upsert-device-state.ts';
import { upsertSensors } from '../store/statements/upsert-sensors.ts';
import { devicesSeen, sensorValues } from './aggregate.ts';
import type { Claimed } from './plan.ts';

export interface RecordOptions {
  readonly registry: Pick<RegistryView, 'device'>;
  readonly thresholds: StatusThresholds;
  /** Sensors per device, unless the device says otherwise. */
  readonly maxSensors: number;
}

/** What outcomes mean for the devices: last seen first (this takes the device's lock), then sensors. */
export async function recordDevices(
  db: Queryable,
  messages: readonly Claimed[],
  { registry, thresholds, maxSensors }: RecordOptions,
): Promise<void> {
  // A resend shows that the device lives, but its values are known already.
  const seen = devicesSeen(readingsOf(messages, ['stored', 'duplicate']));
  if (seen.length > 0) await upsertDeviceState(db, seen, thresholds);
  const maxSensorsOf = ({ tenantId, deviceId }: Reading) =>
    registry.device(tenantId, deviceId)?.maxSensors ?? maxSensors;
  const values = sensorValues(readingsOf(messages, ['stored']), maxSensorsOf);
  if (values.length > 0) await upsertSensors(db, values);
}

function readingsOf(messages: readonly Claimed[], outcomes: readonly Claimed['outcome'][]): Reading[] {
  return messages.flatMap(({ verdict, outcome }) =>
    verdict.outcome === 'accept' && outcomes.includes(outcome) ? verdict.reading : [],
  );
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
