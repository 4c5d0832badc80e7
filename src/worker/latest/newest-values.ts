import { DeviceMap } from '../../model/device-map.ts';
import { unitOf, valueTypeOf } from '../../model/sensor-inference.ts';
import type { Accepted, Reading } from '../../model/verdict.ts';
import type { SensorValue } from '../../store/statements/upsert-sensors.ts';

/** Of a reading, what its latest values are made of; its texts may be large and are not kept. */
interface Source
  extends Pick<Reading, 'tenantId' | 'deviceId' | 'timeUs' | 'arrivedAtMs' | 'seq' | 'metrics'> {
  /** How many sensors the device may have. */
  readonly maxSensors: number;
}

/** A device's readings that hold a latest value. */
interface OfDevice {
  newest: Source;
  /** By metric: those that the newest one does not have. None is newer than it. */
  others: Map<string, Source> | undefined;
}

/**
 * The latest value of each sensor, which goes by the smaller of event time and arrival, then `seq`: late data does not
 * replace newer values, and a device's clock that runs ahead does not freeze them. Of two that are equal the later one
 * counts.
 *
 * Most devices send the same metrics each time, so it is readings that are kept: a newer one takes the place of all values
 * at once, and they are made of it when somebody asks.
 */
export class NewestValues {
  readonly #devices = new DeviceMap<OfDevice>();
  #sensors = 0;

  /** How many sensors are in it. */
  get size(): number {
    return this.#sensors;
  }

  /** @param maxSensors of a device that has no number of its own */
  add({ reading, device }: Accepted, maxSensors: number): void {
    const { tenantId, deviceId, timeUs, arrivedAtMs, seq, metrics } = reading;
    this.#add({
      tenantId,
      deviceId,
      timeUs,
      arrivedAtMs,
      seq,
      metrics,
      maxSensors: device.maxSensors ?? maxSensors,
    });
  }

  merge(other: NewestValues): void {
    for (const { newest, others } of other.#devices.values()) {
      for (const source of new Set(others?.values())) this.#add(source);
      this.#add(newest);
    }
  }

  values(): SensorValue[] {
    const values: SensorValue[] = [];
    for (const { newest, others } of this.#devices.values()) {
      for (const metric of Object.keys(newest.metrics)) addValue(values, newest, metric);
      for (const [metric, source] of others ?? []) addValue(values, source, metric);
    }
    return values;
  }

  #add(source: Source): void {
    const known = this.#devices.get(source.tenantId, source.deviceId);
    if (known === undefined) {
      this.#devices.set(source.tenantId, source.deviceId, { newest: source, others: undefined });
      this.#sensors += countValues(source);
    } else if (isNewer(known.newest, source)) this.#addOlder(known, source);
    else this.#replace(known, source);
  }

  #replace(known: OfDevice, source: Source): void {
    const { newest } = known;
    const left = Object.keys(newest.metrics).filter(
      (metric) => !holds(source, metric) && holds(newest, metric),
    );
    for (const metric of Object.keys(source.metrics)) {
      if (!holds(source, metric)) continue;
      if (known.others?.delete(metric) !== true && !holds(newest, metric)) this.#sensors += 1;
    }
    keepOthers(known, newest, left);
    known.newest = source;
  }

  #addOlder(known: OfDevice, source: Source): void {
    const newer = Object.keys(source.metrics).filter((metric) => {
      if (!holds(source, metric) || holds(known.newest, metric)) return false;
      const other = known.others?.get(metric);
      if (other === undefined) this.#sensors += 1;
      return other === undefined || !isNewer(other, source);
    });
    keepOthers(known, source, newer);
  }
}

/** Of that source these metrics only: another of its values may be large, and has been replaced. */
function keepOthers(known: OfDevice, source: Source, metrics: readonly string[]): void {
  if (metrics.length === 0) return;
  const kept = {
    ...source,
    metrics: Object.fromEntries(metrics.map((metric) => [metric, source.metrics[metric]])),
  };
  known.others ??= new Map();
  for (const metric of metrics) {
    // To the end: they stay in the order in which they came.
    known.others.delete(metric);
    known.others.set(metric, kept);
  }
}

function holds({ metrics }: Source, metric: string): boolean {
  return Object.hasOwn(metrics, metric) && valueTypeOf(metrics[metric]) !== undefined;
}

function countValues(source: Source): number {
  return Object.keys(source.metrics).filter((metric) => holds(source, metric)).length;
}

function addValue(values: SensorValue[], source: Source, metric: string): void {
  const value = source.metrics[metric];
  const valueType = valueTypeOf(value);
  if (valueType === undefined) return;
  const { tenantId, deviceId, timeUs, arrivedAtMs, seq, maxSensors } = source;
  values.push({
    tenantId,
    deviceId,
    metric,
    valueType,
    unit: knownUnitOf(metric),
    valueText: typeof value === 'number' ? String(value) : JSON.stringify(value),
    timeUs,
    arrivedAtMs,
    seq,
    maxSensors,
  });
}

/** What a metric's name says of its unit; the same few names come again and again. */
const units = new Map<string, string | undefined>();
const maxUnits = 10_000;

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
