import type { DeviceId } from '../../model/identifiers.ts';

export type Way = 'http' | 'batch' | 'mqtt';
export type DeviceKind = 'climate' | 'power' | 'door';

/** A device that only exists while `simulate` runs; its token is kept here and nowhere else. */
export interface SimulatedDevice {
  readonly deviceId: DeviceId;
  readonly siteId: string;
  readonly kind: DeviceKind;
  /** How it reports: each device keeps to one way. */
  readonly way: Way;
  readonly token: string;
  /** What makes it differ from its neighbours: an offset in [-1, 1]. */
  readonly character: number;
  /** `seq` of its last message. */
  seq: number;
}

// Half of a fleet posts single messages, a quarter goes through a batching box, a quarter over MQTT.
const ways: readonly Way[] = ['http', 'mqtt', 'http', 'batch'];
const kinds: readonly DeviceKind[] = ['climate', 'climate', 'power', 'door', 'power'];
const devicesPerSite = 25;

/** `sim-0001`, `sim-0002`, … with fresh tokens, spread over sites, kinds and ways. */
export function makeFleet(
  count: number,
  random: () => number,
  newToken: () => string,
): readonly SimulatedDevice[] {
  const digits = Math.max(4, String(count).length);
  return Array.from({ length: count }, (_, index) => ({
    deviceId: `sim-${String(index + 1).padStart(digits, '0')}` as DeviceId,
    siteId: `site-${Math.floor(index / devicesPerSite) + 1}`,
    kind: kinds[index % kinds.length] ?? 'climate',
    way: ways[index % ways.length] ?? 'http',
    token: newToken(),
    character: random() * 2 - 1,
    seq: 0,
  }));
}
