import { deviceKey } from '../model/identifiers.ts';
import { unitOf, valueTypeOf } from '../model/sensor-inference.ts';
import type { Accepted, Reading } from '../model/verdict.ts';
import type { DeviceSeen } from '../store/statements/upsert-device-state.ts';
import type { SensorValue } from '../store/statements/upsert-sensors.ts';

/** The newest arrival of each device: one row update a batch instead of one a message. */
export function devicesSeen(heard: Iterable<Accepted>): DeviceSeen[] {
  const newest = new Map<string, DeviceSeen>();
  for (const { reading } of heard) {
    const { tenantId, deviceId, msgType, arrivedAtMs } = reading;
    const key = deviceKey(tenantId, deviceId);
    const known = newest.get(key);
    if (known !== undefined && known.lastSeenAtMs > arrivedAtMs) continue;
    newest.set(key, { tenantId, deviceId, msgType, lastSeenAtMs: arrivedAtMs });
  }
  return [...newest.values()];
}

/**
 * The latest value of each sensor in a batch, by the smaller of event time and arrival, then `seq`: late
 * data does not replace newer values, and a device's clock that runs ahead does not freeze them.
 * @param maxSensors of a device that has no number of its own
 */
export function sensorValues(accepted: Iterable<Accepted>, maxSensors: number): SensorValue[] {
  const latest = new Map<string, SensorValue>();
  const units = new Map<string, string | undefined>();
  for (const { reading, device } of accepted) {
    const { tenantId, deviceId, timeUs, arrivedAtMs, seq, metrics } = reading;
    const sensorKey = `${deviceKey(tenantId, deviceId)}/`;
    for (const metric of Object.keys(metrics)) {
      const value = metrics[metric];
      const valueType = valueTypeOf(value);
      if (valueType === undefined) continue;
      const key = sensorKey + metric;
      const known = latest.get(key);
      if (known !== undefined && isNewer(known, reading)) continue;
      // Few different metrics, many messages.
      if (!units.has(metric)) units.set(metric, unitOf(metric));
      latest.set(key, {
        tenantId,
        deviceId,
        metric,
        valueType,
        unit: units.get(metric),
        valueText: typeof value === 'number' ? String(value) : JSON.stringify(value),
        timeUs,
        arrivedAtMs,
        seq,
        maxSensors: device.maxSensors ?? maxSensors,
      });
    }
  }
  return [...latest.values()];
}

type Ordered = Pick<Reading, 'timeUs' | 'arrivedAtMs' | 'seq'>;

function isNewer(a: Ordered, b: Ordered): boolean {
  const byTime = orderUs(a) - orderUs(b);
  return byTime === 0 ? (a.seq ?? -1) > (b.seq ?? -1) : byTime > 0;
}

function orderUs({ timeUs, arrivedAtMs }: Ordered): number {
  return Math.min(timeUs, arrivedAtMs * 1_000);
}
