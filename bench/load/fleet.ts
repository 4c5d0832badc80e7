import { createHash } from 'node:crypto';

/** A fleet that every process of a run makes for itself from these numbers, and all get the same one. */
export interface FleetSpec {
  readonly devices: number;
  /** Devices are dealt to them in turn. */
  readonly tenants: number;
  readonly seed: number;
  /** How messages meet devices: drawn at random (default), or spread so that any thousand in a row are of different ones. */
  readonly order?: 'random' | 'in turn';
}

export interface BenchDevice {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly siteId: string;
  readonly token: string;
}

export interface BenchMessage {
  readonly device: BenchDevice;
  /** The device's JSON object, without a token. */
  readonly body: string;
}

export const standardFleet: FleetSpec = { devices: 10_000, tenants: 10, seed: 1 };

/** The metrics of every message: three, as the issue has it. */
export const metricNames = ['temp', 'humidity', 'battery'] as const;

export function deviceAt(spec: FleetSpec, index: number): BenchDevice {
  return {
    tenantId: `t${index % spec.tenants}`,
    deviceId: `d${index}`,
    siteId: `site-${index % spec.tenants}`,
    token: tokenOf(index),
  };
}

function tokenOf(index: number): string {
  return `bench-token-${index}`;
}

export function tokenHash(index: number): Buffer {
  return createHash('sha256').update(tokenOf(index)).digest();
}

/** A step without a common divisor with any power of ten: all devices come up before one comes again. */
const stride = 618_033;

/** Three metrics each: the same messages for the same spec. */
export function drawMessages(spec: FleetSpec, count: number): BenchMessage[] {
  const random = seededRandom(spec.seed);
  return Array.from({ length: count }, (_, n) => {
    const inTurn = spec.order === 'in turn';
    const device = deviceAt(spec, inTurn ? (n * stride) % spec.devices : Math.floor(random() * spec.devices));
    return { device, body: bodyOf(device, random) };
  });
}

/** The brief's body with three metrics. */
function bodyOf(device: BenchDevice, random: () => number): string {
  const temp = (15 + random() * 15).toFixed(2);
  const humidity = Math.floor(30 + random() * 50);
  const battery = (3 + random()).toFixed(3);
  return `{"site_id":"${device.siteId}","metrics":{"temp":${temp},"humidity":${humidity},"battery":${battery}}}`;
}

/** mulberry32: 0 ≤ x < 1, the same sequence for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
