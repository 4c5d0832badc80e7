import { deviceKey } from '../model/identifiers.ts';

export interface LimitedDevice {
  readonly tenantId: string;
  readonly deviceId: string;
  /** Messages that were refused, whichever limit refused them. */
  readonly limited: number;
}

export interface LimitedDevices {
  add(tenantId: string, deviceId: string): void;
  /** The `n` most limited, most first. */
  top(n: number): LimitedDevice[];
}

/** Beyond this many devices the least limited half is forgotten, so the figures of rare ones are a lower bound. */
const maxDevices = 1_000;

/** Who runs into limits, counted in bounded memory. */
export function createLimitedDevices(): LimitedDevices {
  let devices = new Map<string, { tenantId: string; deviceId: string; limited: number }>();
  const ranked = () => [...devices.entries()].sort(([, a], [, b]) => b.limited - a.limited);
  return {
    add(tenantId, deviceId) {
      const key = deviceKey(tenantId, deviceId);
      const device = devices.get(key);
      if (device !== undefined) {
        device.limited++;
        return;
      }
      if (devices.size >= maxDevices) devices = new Map(ranked().slice(0, maxDevices / 2));
      devices.set(key, { tenantId, deviceId, limited: 1 });
    },
    top: (n) =>
      ranked()
        .slice(0, n)
        .map(([, device]) => ({ ...device })),
  };
}
