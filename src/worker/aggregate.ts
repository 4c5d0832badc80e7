import { deviceKey } from '../model/identifiers.ts';
import { unitOf, valueTypeOf } from '../model/sensor-inference.ts';
import type { Reading } from '../model/verdict.ts';
import type { DeviceSeen } from '../store/statements/upsert-device-state.ts';
import type { SensorValue } from '../store/statements/upsert-sensors.ts';

/** The newest arrival of each device: one row update a batch instead of one a message. */
export function devicesSeen(readings: Iterable<Reading>): DeviceSeen[] {
  const newest = new Map<string, DeviceSeen>();
  for (const { tenantId, deviceId, msgType, arrivedAtMs } of readings) {
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
 */
export function sensorValues(
  readings: Iterable<Reading>,
  maxSensorsOf: (reading: Reading) => number,
): SensorValue[] {
  const latest = new Map<string, SensorValue>();
  for (const reading of readings) {
    for (const [metric, value] of Object.entries(reading.metrics)) {
      const valueType = valueTypeOf(value);
      if (valueType === undefined) continue;
      const { tenantId, deviceId, timeUs, arrivedAtMs, seq } = reading;
      const key = `${tenantId}/${deviceId}/${metric}`;
      const known = latest.get(key);
      if (known !== undefined && isNewer(known, reading)) continue;
      latest.set(key, {
        tenantId,
        deviceId,
        metric,
        valueType,
        unit: unitOf(metric),
        valueText: JSON.stringify(value),
        timeUs,
        arrivedAtMs,
        seq,
        maxSensors: maxSensorsOf(reading),
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
