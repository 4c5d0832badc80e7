import { deviceKey } from '../model/identifiers.ts';
import type { RateLimit } from '../model/limits.ts';
import type { RegisteredDevice, RegistryView } from '../model/registry.ts';
import type { Rejection } from '../model/verdict.ts';
import { isoTime } from './iso-time.ts';
import { createLimitedDevices, type LimitedDevice } from './limited-devices.ts';
import { createWindowCounts, type WindowCount } from './window-counts.ts';

/**
 * Limits how many messages of a device, and of a tenant, are accepted. The model is in
 * docs/reference/rate-limits.md; its invariants, each held by a test in test/worker/rate-limiter.test.ts:
 *
 * 1. Time is arrival time, cut into windows of burst ÷ rate seconds since the epoch. No clock is read.
 * 2. One worker never accepts more than `burst` messages in one window, of a device or of a tenant.
 * 3. How many are accepted in a window does not depend on the order in which messages are judged.
 * 4. A message is counted against both limits or, when either refuses it, against none.
 * 5. Only what was settled is told to other workers: a worker that dies before COMMIT must not have
 *    spent the budget of messages that another one will judge again. Errors go towards accepting.
 */
export interface RateLimiter {
  /** Asks for one newly claimed message; counts it when it passes. `device`: its entry, where that is at hand. */
  charge(
    message: MessageToCharge,
    registry: Pick<RegistryView, 'device' | 'tenant'>,
    device?: RegisteredDevice,
  ): Charged;
  /** The transaction that settled these committed: other workers may be told. */
  settled(charges: Iterable<Charge>): void;
  /** These turned out to be another worker's (claimed before, after all), or were not stored. */
  release(charges: Iterable<Charge>): void;
  /** What was settled since the last call, by window; nothing of it is given twice. */
  takeUntold(): LimitDeltas;
  /** What another worker has settled. */
  addOthers(deltas: Iterable<readonly [string, number]>): void;
  snapshot(): RateLimitStats;
}

export interface MessageToCharge {
  readonly tenantId: string;
  readonly deviceId: string;
  /** ms since the epoch. */
  readonly arrivedAtMs: number;
}

/** A message's place in the counts of its two windows. */
export interface Charge {
  readonly device: WindowCount;
  readonly tenant: WindowCount;
}

export type Charged =
  | { readonly ok: true; readonly charge: Charge }
  | { readonly ok: false; readonly rejection: Rejection };

/** Messages accepted, by window key. */
export type LimitDeltas = readonly (readonly [string, number])[];

export interface RateLimitStats {
  /** Messages since the worker started. */
  readonly accepted: number;
  readonly limited: number;
  readonly limitedBy: { readonly device: number; readonly tenant: number };
  /** Windows held in memory. */
  readonly windows: { readonly device: number; readonly tenant: number };
  /** The devices that were limited most often, at most ten. */
  readonly topLimited: readonly LimitedDevice[];
}

export interface RateLimiterOptions {
  /** Global limits, where neither the tenant nor the device has its own. */
  readonly device: RateLimit;
  readonly tenant: RateLimit;
  /** Windows kept at most, of devices and of tenants each, are twice this; some 200 bytes of heap a window. */
  readonly maxWindows?: number;
}

/** The open windows of 100,000 devices, with as many again behind them. */
const defaultMaxWindows = 100_000;

type Scope = 'device' | 'tenant';

/** Tells one scope's window from the other's where both travel together; ids hold no `|`. */
const scopeLetter = { device: 'd', tenant: 't' } as const;

export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const maxWindows = options.maxWindows ?? defaultMaxWindows;
  const counts = {
    device: createWindowCounts({ maxWindows }),
    tenant: createWindowCounts({ maxWindows }),
  };
  const limitedDevices = createLimitedDevices();
  const limitedBy = { device: 0, tenant: 0 };
  const untold = new Set<WindowCount>();
  let accepted = 0;

  const beginnings = { device: createKeyBeginning('device'), tenant: createKeyBeginning('tenant') };

  const windowOf = (scope: Scope, id: string, limit: RateLimit, arrivedAtMs: number) =>
    counts[scope].at(beginnings[scope](limit, arrivedAtMs) + id);

  const refuse = (scope: Scope, message: MessageToCharge, limit: RateLimit): Charged => {
    limitedBy[scope]++;
    limitedDevices.add(message.tenantId, message.deviceId);
    return { ok: false, rejection: rateLimited(scope, message, limit) };
  };

  return {
    charge(message, registry, registered) {
      const { tenantId, deviceId, arrivedAtMs } = message;
      const limits = limitsOf(message, registry, options, registered);
      const device = windowOf('device', deviceKey(tenantId, deviceId), limits.device, arrivedAtMs);
      if (!hasRoom(device, limits.device)) return refuse('device', message, limits.device);
      const tenant = windowOf('tenant', tenantId, limits.tenant, arrivedAtMs);
      if (!hasRoom(tenant, limits.tenant)) return refuse('tenant', message, limits.tenant);
      device.own++;
      tenant.own++;
      accepted++;
      return { ok: true, charge: { device, tenant } };
    },

    settled(charges) {
      for (const { device, tenant } of charges) {
        for (const count of [device, tenant]) {
          count.untold++;
          untold.add(count);
        }
      }
    },

    release(charges) {
      for (const { device, tenant } of charges) {
        device.own--;
        tenant.own--;
        accepted--;
      }
    },

    takeUntold() {
      const deltas: [string, number][] = [];
      for (const count of untold) {
        deltas.push([count.key, count.untold]);
        count.untold = 0;
      }
      untold.clear();
      return deltas;
    },

    addOthers(deltas) {
      for (const [key, accepted] of deltas) {
        counts[key.startsWith(scopeLetter.device) ? 'device' : 'tenant'].at(key).others += accepted;
      }
    },

    snapshot: () => ({
      accepted,
      limited: limitedBy.device + limitedBy.tenant,
      limitedBy: { ...limitedBy },
      windows: { device: counts.device.size, tenant: counts.tenant.size },
      topLimited: limitedDevices.top(10),
    }),
  };
}

/** The nearest setting wins: the device's, its tenant's, the global one; rate and burst each on its own. */
export function limitsOf(
  message: Pick<MessageToCharge, 'tenantId' | 'deviceId'>,
  registry: Pick<RegistryView, 'device' | 'tenant'>,
  defaults: { readonly device: RateLimit; readonly tenant: RateLimit },
  device = registry.device(message.tenantId, message.deviceId),
): { readonly device: RateLimit; readonly tenant: RateLimit } {
  const tenant = registry.tenant(message.tenantId);
  return {
    device: {
      ratePerSecond: device?.ratePerSecond ?? tenant?.deviceRatePerSecond ?? defaults.device.ratePerSecond,
      burst: device?.burst ?? tenant?.deviceBurst ?? defaults.device.burst,
    },
    tenant: {
      ratePerSecond: tenant?.ratePerSecond ?? defaults.tenant.ratePerSecond,
      burst: tenant?.burst ?? defaults.tenant.burst,
    },
  };
}

function hasRoom(count: WindowCount, limit: RateLimit): boolean {
  return count.own + count.others < limit.burst;
}

function windowLengthMs({ burst, ratePerSecond }: RateLimit): number {
  return (burst / ratePerSecond) * 1000;
}

/**
 * What the keys of a window begin with; a device's or tenant's id follows. The last one is kept: most messages that follow
 * each other are of one window. A changed limit makes new windows: what was counted in the old ones is left behind with them.
 */
function createKeyBeginning(scope: Scope): (limit: RateLimit, arrivedAtMs: number) => string {
  let last = { lengthMs: 0, window: 0, beginning: '' };
  return (limit, arrivedAtMs) => {
    const lengthMs = windowLengthMs(limit);
    const window = Math.floor(arrivedAtMs / lengthMs);
    if (last.lengthMs !== lengthMs || last.window !== window)
      last = { lengthMs, window, beginning: `${scopeLetter[scope]}|${lengthMs}|${window}|` };
    return last.beginning;
  };
}

function rateLimited(scope: Scope, message: MessageToCharge, limit: RateLimit): Rejection {
  const name = scope === 'device' ? `device "${message.deviceId}"` : `tenant "${message.tenantId}"`;
  const lengthMs = windowLengthMs(limit);
  const resetAtMs = (Math.floor(message.arrivedAtMs / lengthMs) + 1) * lengthMs;
  return {
    reason: 'RATE_LIMITED',
    detail:
      `The limit of ${name} is ${limit.burst} messages in ${lengthMs / 1000} s ` +
      `(${limit.ratePerSecond}/s); the window resets at ${isoTime(resetAtMs)}.`,
  };
}
