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

/** Latest values by sensor: see `addLatest`. */
export type LatestMap = Map<string, SensorValue>;

/** What a metric's name says of its unit; the same few names come again and again. */
const units = new Map<string, string | undefined>();
const maxUnits = 10_000;

/**
 * Adds readings to the latest value of each sensor, which goes by the smaller of event time and arrival, then `seq`: late
 * data does not replace newer values, and a device's clock that runs ahead does not freeze them.
 * @param maxSensors of a device that has no number of its own
 */
export function addLatest(latest: LatestMap, accepted: Iterable<Accepted>, maxSensors: number): void {
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
      latest.set(key, {
        tenantId,
        deviceId,
        metric,
        valueType,
        unit: knownUnitOf(metric),
        valueText: typeof value === 'number' ? String(value) : JSON.stringify(value),
        timeUs,
        arrivedAtMs,
        seq,
        maxSensors: device.maxSensors ?? maxSensors,
      });
    }
  }
}

/** Adds the values of one map to another. */
export function mergeLatest(latest: LatestMap, others: LatestMap): void {
  for (const [key, value] of others) {
    const known = latest.get(key);
    if (known === undefined || isNewer(value, known)) latest.set(key, value);
  }
}

function knownUnitOf(metric: string): string | undefined {
  if (!units.has(metric)) {
    // Names are the devices' own choice: there may be any number of them.
    if (units.size >= maxUnits) units.clear();
    units.set(metric, unitOf(metric));
  }
  return units.get(metric);
}

type Ordered = Pick<Reading, 'timeUs' | 'arrivedAtMs' | 'seq'>;

function isNewer(a: Ordered, b: Ordered): boolean {
  const byTime = orderUs(a) - orderUs(b);
  return byTime === 0 ? (a.seq ?? -1) > (b.seq ?? -1) : byTime > 0;
}

function orderUs({ timeUs, arrivedAtMs }: Ordered): number {
  return Math.min(timeUs, arrivedAtMs * 1_000);
}
