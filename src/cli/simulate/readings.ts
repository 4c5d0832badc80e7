import { bellCurve } from '../../lib/seeded-random.ts';
import type { DeviceKind, SimulatedDevice } from './fleet.ts';

export type Metrics = Readonly<Record<string, number | boolean | string>>;

const hourMs = 3_600_000;

/**
 * What the device measures at a moment: a curve over the day (UTC), the device's own character and some noise.
 * A function of the time, so that a late message tells what was true back then.
 */
export function measure(device: SimulatedDevice, momentMs: number, random: () => number): Metrics {
  return measurers[device.kind](device, (momentMs / hourMs) % 24, momentMs, () => bellCurve(random));
}

type Measurer = (device: SimulatedDevice, hour: number, momentMs: number, noise: () => number) => Metrics;

const measurers: Readonly<Record<DeviceKind, Measurer>> = {
  climate: (device, hour, _momentMs, noise) => {
    const warmth = wave(hour, 15);
    const people = device.character > -0.2 ? bump(hour, 10.5, 2) + bump(hour, 15, 2) : 0;
    return {
      temperature_c: round(20 + 2 * device.character + 5 * warmth + 0.2 * noise(), 2),
      humidity_pct: round(clamp(48 - 12 * warmth + 4 * device.character + 0.8 * noise(), 5, 100), 1),
      co2_ppm: Math.round(420 + 380 * people + 12 * noise()),
    };
  },
  power: (device, hour, momentMs, noise) => {
    const load = 0.15 + 0.6 * bump(hour, 7.5, 1.2) + bump(hour, 19.5, 2);
    const powerW = (1_400 + 600 * device.character) * load * (1 + 0.05 * noise());
    return {
      power_w: round(Math.max(0, powerW), 1),
      voltage_v: round(230 + 1.5 * noise(), 1),
      // A meter only counts upward: the mean power over the time since 2026.
      energy_kwh: round(((momentMs - Date.UTC(2026, 0)) / hourMs) * (0.45 + 0.15 * device.character), 3),
    };
  },
  door: (device, hour, momentMs, noise) => {
    const open = noise() > 2.2 - 1.6 * (bump(hour, 8.5, 1) + bump(hour, 17.5, 1));
    const daysOnBattery = ((momentMs / (24 * hourMs) + 200 * device.character) % 365) + 365;
    return {
      open,
      state: open ? 'open' : 'closed',
      battery_pct: Math.round(100 - (daysOnBattery % 365) / 4),
      rssi_dbm: Math.round(-67 - 8 * device.character + 2 * noise()),
    };
  },
};

/** 1 at the peak hour, −1 twelve hours away. */
function wave(hour: number, peakHour: number): number {
  return Math.cos(((hour - peakHour) / 12) * Math.PI);
}

/** 1 at the peak hour, falling off over `width` hours, around midnight too. */
function bump(hour: number, peakHour: number, width: number): number {
  const away = Math.abs(hour - peakHour);
  const distance = Math.min(away, 24 - away) / width;
  return Math.exp(-distance * distance);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
