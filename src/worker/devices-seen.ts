import { DeviceMap } from '../model/device-map.ts';
import type { Accepted, Reading } from '../model/verdict.ts';
import type { DeviceSeen } from '../store/statements/upsert-device-state.ts';

/** The newest arrival of each device: one row update a batch instead of one a message. */
export function devicesSeen(heard: Iterable<Accepted>): DeviceSeen[] {
  const newest = new DeviceMap<Reading>();
  for (const { reading } of heard) {
    const { tenantId, deviceId, arrivedAtMs } = reading;
    const known = newest.get(tenantId, deviceId);
    if (known === undefined || known.arrivedAtMs <= arrivedAtMs) newest.set(tenantId, deviceId, reading);
  }
  return Array.from(newest.values(), ({ tenantId, deviceId, msgType, arrivedAtMs }) => ({
    tenantId,
    deviceId,
    msgType,
    lastSeenAtMs: arrivedAtMs,
  }));
}
