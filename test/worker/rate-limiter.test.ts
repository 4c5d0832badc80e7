import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { TenantId } from '../../src/model/identifiers.ts';
import type { RegisteredTenant } from '../../src/model/registry.ts';
import { createLimitedDevices } from '../../src/worker/limited-devices.ts';
import {
  type Charge,
  createRateLimiter,
  limitsOf,
  type MessageToCharge,
  type RateLimiter,
} from '../../src/worker/rate-limiter.ts';
import { deviceOf, registryOf } from './messages.ts';

const nobody = registryOf([]);
const wide = { ratePerSecond: 1e6, burst: 1e8 };

/** Messages of three devices within a few windows of 4 s. */
const messages = fc.array(
  fc.record({
    tenantId: fc.constantFrom('t1', 't2'),
    deviceId: fc.constantFrom('d1', 'd2', 'd3'),
    arrivedAtMs: fc.integer({ min: 1_767_225_600_000, max: 1_767_225_612_000 }),
  }),
  // By default fast-check makes some ten elements at most, which would fill no window.
  { maxLength: 150, size: 'max' },
);
const device = { ratePerSecond: 1, burst: 4 };

/** Charges in this order, each batch settled before the next; gives what was accepted. */
function acceptedOf<M extends MessageToCharge>(
  limiter: RateLimiter,
  batches: readonly (readonly M[])[],
): M[] {
  return batches.flatMap((batch) => {
    const charges: Charge[] = [];
    const accepted = batch.filter((message) => {
      const charged = limiter.charge(message, nobody);
      if (charged.ok) charges.push(charged.charge);
      return charged.ok;
    });
    limiter.settled(charges);
    return accepted;
  });
}

function countsBy<M>(items: readonly M[], keyOf: (item: M) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}

const deviceWindow = ({ tenantId, deviceId, arrivedAtMs }: MessageToCharge) =>
  `${tenantId}/${deviceId}/${Math.floor(arrivedAtMs / 4000)}`;
const tenantWindow = (lengthMs: number) => (message: MessageToCharge) =>
  `${message.tenantId}/${Math.floor(message.arrivedAtMs / lengthMs)}`;

const capped = (counts: Record<string, number>, burst: number) =>
  Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, Math.min(count, burst)]));

/** A list, the same in another order, and that cut into batches. */
const shuffledBatches = messages.chain((list) =>
  fc.record({
    list: fc.constant(list),
    batches: fc
      .tuple(
        fc.shuffledSubarray(list, { minLength: list.length }),
        fc.array(fc.nat(list.length), { maxLength: 5 }),
      )
      .map(([shuffled, cuts]) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), shuffled.length];
        return edges.slice(1).map((end, index) => shuffled.slice(edges[index], end));
      }),
  }),
);

describe('one worker', () => {
  test('accepts min(sent, burst) in each window of a device, in whatever order and batches', () => {
    fc.assert(
      fc.property(shuffledBatches, ({ list, batches }) => {
        const accepted = acceptedOf(createRateLimiter({ device, tenant: wide }), batches);
        expect(countsBy(accepted, deviceWindow)).toEqual(capped(countsBy(list, deviceWindow), 4));
      }),
    );
  });

  test('accepts min(sent, burst) in each window of a tenant, in whatever order and batches', () => {
    fc.assert(
      fc.property(shuffledBatches, ({ list, batches }) => {
        const tenant = { ratePerSecond: 2, burst: 7 };
        const accepted = acceptedOf(createRateLimiter({ device: wide, tenant }), batches);
        const windowOf = tenantWindow(3500);
        expect(countsBy(accepted, windowOf)).toEqual(capped(countsBy(list, windowOf), 7));
      }),
    );
  });

  test('with both limits, order does not matter where device windows lie within tenant windows', () => {
    fc.assert(
      fc.property(shuffledBatches, ({ list, batches }) => {
        const tenant = { ratePerSecond: 1.25, burst: 10 };
        const accepted = acceptedOf(createRateLimiter({ device, tenant }), batches);
        const passed = Object.entries(capped(countsBy(list, deviceWindow), 4)).flatMap(([key, count]) => {
          const [tenantId = '', , index] = key.split('/');
          return Array.from({ length: count }, () => ({
            tenantId,
            deviceId: '',
            arrivedAtMs: Number(index) * 4000,
          }));
        });
        const windowOf = tenantWindow(8000);
        expect(countsBy(accepted, windowOf)).toEqual(capped(countsBy(passed, windowOf), 10));
      }),
    );
  });

  test('never exceeds either limit, whatever their windows', () => {
    const limit = fc.record({
      ratePerSecond: fc.double({ min: 0.3, max: 9 }),
      burst: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(messages, limit, limit, (list, deviceLimit, tenantLimit) => {
        const accepted = acceptedOf(createRateLimiter({ device: deviceLimit, tenant: tenantLimit }), [list]);
        const lengthOf = ({ burst, ratePerSecond }: typeof deviceLimit) => (burst / ratePerSecond) * 1000;
        const byTenant = countsBy(accepted, tenantWindow(lengthOf(tenantLimit)));
        const byDevice = countsBy(
          accepted,
          (message) => `${message.deviceId}/${tenantWindow(lengthOf(deviceLimit))(message)}`,
        );
        expect(Math.max(0, ...Object.values(byTenant))).toBeLessThanOrEqual(tenantLimit.burst);
        expect(Math.max(0, ...Object.values(byDevice))).toBeLessThanOrEqual(deviceLimit.burst);
      }),
    );
  });

  test('counts a message that one limit refuses against neither', () => {
    const limiter = createRateLimiter({
      device: { ratePerSecond: 1, burst: 2 },
      tenant: { ratePerSecond: 1, burst: 3 },
    });
    const sent = ['d1', 'd1', 'd1', 'd1', 'd2', 'd2', 'd3'].map((deviceId) => ({
      tenantId: 't1',
      deviceId,
      arrivedAtMs: 0,
    }));
    expect(acceptedOf(limiter, [sent]).map(({ deviceId }) => deviceId)).toEqual(['d1', 'd1', 'd2']);
  });

  test('a charge that is released is as if it had not been', () => {
    fc.assert(
      fc.property(messages, messages, (list, others) => {
        const limiter = createRateLimiter({ device, tenant: { ratePerSecond: 2, burst: 8 } });
        const charges = others.flatMap((message) => {
          const charged = limiter.charge(message, nobody);
          return charged.ok ? [charged.charge] : [];
        });
        limiter.release(charges);
        const fresh = createRateLimiter({ device, tenant: { ratePerSecond: 2, burst: 8 } });
        expect(acceptedOf(limiter, [list])).toEqual(acceptedOf(fresh, [list]));
      }),
    );
  });

  test('windows are cut from arrival time alone: a clock that jumps changes nothing', () => {
    const limiter = createRateLimiter({ device, tenant: wide });
    const times = [0, -1, 8.64e15, Number.MAX_SAFE_INTEGER, Number.NaN, Number.POSITIVE_INFINITY];
    const at = (arrivedAtMs: number) => ({ tenantId: 't1', deviceId: 'd1', arrivedAtMs });
    const list = [...times, ...times, ...times, ...times, ...times].map(at);
    const counts = countsBy(acceptedOf(limiter, [list]), ({ arrivedAtMs }) => String(arrivedAtMs));
    expect(Object.values(counts)).toEqual(times.map(() => 4));
  });
});

describe('memory', () => {
  test('is bounded; a window that was forgotten starts anew', () => {
    const limiter = createRateLimiter({ device, tenant: wide, maxWindows: 10 });
    const of = (deviceId: string) => ({ tenantId: 't1', deviceId, arrivedAtMs: 0 });
    const spent = Array.from({ length: 6 }, () => of('d0'));
    expect(acceptedOf(limiter, [spent])).toHaveLength(4);
    const crowd = Array.from({ length: 1000 }, (_, index) => of(`x${index}`));
    expect(acceptedOf(limiter, [crowd])).toHaveLength(1000);
    expect(limiter.snapshot().windows.device).toBeLessThanOrEqual(20);
    expect(acceptedOf(limiter, [spent])).toHaveLength(4);
  });

  test('what is in use is kept', () => {
    const limiter = createRateLimiter({ device, tenant: wide, maxWindows: 10 });
    const list = Array.from({ length: 1000 }, (_, index) => ({
      tenantId: 't1',
      deviceId: index % 5 === 0 ? 'busy' : `x${index}`,
      arrivedAtMs: 0,
    }));
    expect(acceptedOf(limiter, [list]).filter(({ deviceId }) => deviceId === 'busy')).toHaveLength(4);
  });
});

describe('several workers', () => {
  /** Each step: which worker judges the message, and whether its count is told afterwards, lost, or kept. */
  const run = messages.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.array(fc.record({ worker: fc.nat(2), fate: fc.constantFrom('tell', 'lose', 'keep') }), {
        minLength: list.length,
        maxLength: list.length,
      }),
    ),
  );

  const workersOf = (n: number) =>
    Array.from({ length: n }, () => createRateLimiter({ device, tenant: wide }));

  function tell(workers: readonly RateLimiter[], from: RateLimiter) {
    const untold = from.takeUntold();
    for (const worker of workers) if (worker !== from) worker.addOthers(untold);
  }

  test('err only towards accepting, and by no more than their number times the burst', () => {
    fc.assert(
      fc.property(run, ([list, steps]) => {
        const workers = workersOf(3);
        const accepted = list.filter((message, index) => {
          const { worker, fate } = steps[index] ?? { worker: 0, fate: 'tell' };
          const limiter = workers[worker] ?? createRateLimiter({ device, tenant: wide });
          const passed = acceptedOf(limiter, [[message]]).length > 0;
          if (fate === 'tell') tell(workers, limiter);
          else if (fate === 'lose') limiter.takeUntold();
          return passed;
        });
        const counts = countsBy(accepted, deviceWindow);
        for (const [window, sent] of Object.entries(countsBy(list, deviceWindow))) {
          expect(counts[window] ?? 0).toBeGreaterThanOrEqual(Math.min(sent, 4));
          expect(counts[window] ?? 0).toBeLessThanOrEqual(3 * 4);
        }
      }),
    );
  });

  test('that tell each other at once accept exactly what one would', () => {
    fc.assert(
      fc.property(run, ([list, steps]) => {
        const workers = workersOf(3);
        const accepted = list.filter((message, index) => {
          const limiter = workers[steps[index]?.worker ?? 0] ?? createRateLimiter({ device, tenant: wide });
          const passed = acceptedOf(limiter, [[message]]).length > 0;
          tell(workers, limiter);
          return passed;
        });
        expect(countsBy(accepted, deviceWindow)).toEqual(capped(countsBy(list, deviceWindow), 4));
      }),
    );
  });

  test('hear only of what was settled, and of that once', () => {
    const [limiter] = workersOf(1);
    const message = { tenantId: 't1', deviceId: 'd1', arrivedAtMs: 4000 };
    const charges = [1, 2, 3].flatMap(() => {
      const charged = limiter?.charge(message, nobody);
      return charged?.ok ? [charged.charge] : [];
    });
    expect(limiter?.takeUntold()).toEqual([]);
    limiter?.settled(charges.slice(0, 2));
    expect(limiter?.takeUntold()).toEqual([
      ['d|4000|1|t1/d1', 2],
      ['t|100000|0|t1', 2],
    ]);
    expect(limiter?.takeUntold()).toEqual([]);
    limiter?.settled(charges.slice(2));
    expect(limiter?.takeUntold()).toEqual([
      ['d|4000|1|t1/d1', 1],
      ['t|100000|0|t1', 1],
    ]);
  });
});

describe('which limit holds', () => {
  const defaults = {
    device: { ratePerSecond: 5, burst: 20 },
    tenant: { ratePerSecond: 5000, burst: 20_000 },
  };
  const message = { tenantId: 't1', deviceId: 'd1' };
  const tenantOf = (changes: Partial<RegisteredTenant>): RegisteredTenant => ({
    tenantId: 't1' as TenantId,
    ratePerSecond: undefined,
    burst: undefined,
    deviceRatePerSecond: undefined,
    deviceBurst: undefined,
    ...changes,
  });

  test('the device’s own, else its tenant’s, else the global one; rate and burst each on its own', () => {
    const tenant = tenantOf({ deviceRatePerSecond: 7, deviceBurst: 70 });
    expect(limitsOf(message, nobody, defaults).device).toEqual({ ratePerSecond: 5, burst: 20 });
    expect(limitsOf(message, registryOf([deviceOf()], [tenant]), defaults).device).toEqual({
      ratePerSecond: 7,
      burst: 70,
    });
    expect(limitsOf(message, registryOf([deviceOf({ burst: 3 })], [tenant]), defaults).device).toEqual({
      ratePerSecond: 7,
      burst: 3,
    });
    expect(limitsOf(message, registryOf([deviceOf({ ratePerSecond: 2 })], []), defaults).device).toEqual({
      ratePerSecond: 2,
      burst: 20,
    });
  });

  test('the tenant’s own, else the global one', () => {
    const tenant = tenantOf({ ratePerSecond: 9 });
    expect(limitsOf(message, registryOf([], [tenant]), defaults).tenant).toEqual({
      ratePerSecond: 9,
      burst: 20_000,
    });
  });

  test('a raised limit counts at once', () => {
    const limiter = createRateLimiter(defaults);
    const send = (burst: number) => {
      const registry = registryOf([deviceOf({ burst })]);
      return Array.from({ length: 30 }, () =>
        limiter.charge({ tenantId: 't1', deviceId: 'd1', arrivedAtMs: 0 }, registry),
      ).filter(({ ok }) => ok).length;
    };
    expect([send(3), send(30)]).toEqual([3, 30]);
  });
});

describe('what a limited message is told', () => {
  const arrivedAtMs = Date.parse('2026-01-01T00:00:01.234Z');
  const detailOf = (options: Parameters<typeof createRateLimiter>[0]) => {
    const limiter = createRateLimiter(options);
    limiter.charge({ tenantId: 't1', deviceId: 'd1', arrivedAtMs }, nobody);
    return limiter.charge({ tenantId: 't1', deviceId: 'd1', arrivedAtMs }, nobody);
  };

  test('names the limit, its value and when the window resets', () => {
    expect(detailOf({ device: { ratePerSecond: 0.25, burst: 1 }, tenant: wide })).toEqual({
      ok: false,
      rejection: {
        reason: 'RATE_LIMITED',
        detail:
          'The limit of device "d1" is 1 messages in 4 s (0.25/s); the window resets at 2026-01-01T00:00:04.000Z.',
      },
    });
    expect(detailOf({ device: wide, tenant: { ratePerSecond: 2, burst: 1 } })).toMatchObject({
      rejection: {
        detail:
          'The limit of tenant "t1" is 1 messages in 0.5 s (2/s); the window resets at 2026-01-01T00:00:01.500Z.',
      },
    });
  });

  test('is counted by limit, and the most limited devices are known', () => {
    const limiter = createRateLimiter({
      device: { ratePerSecond: 1, burst: 1 },
      tenant: { ratePerSecond: 1, burst: 2 },
    });
    const sent = ['d1', 'd1', 'd1', 'd2', 'd2', 'd3'].map((deviceId) => ({
      tenantId: 't1',
      deviceId,
      arrivedAtMs: 0,
    }));
    acceptedOf(limiter, [sent]);
    expect(limiter.snapshot()).toEqual({
      accepted: 2,
      limited: 4,
      limitedBy: { device: 3, tenant: 1 },
      windows: { device: 3, tenant: 1 },
      topLimited: [
        { tenantId: 't1', deviceId: 'd1', limited: 2 },
        { tenantId: 't1', deviceId: 'd2', limited: 1 },
        { tenantId: 't1', deviceId: 'd3', limited: 1 },
      ],
    });
  });

  test('ten thousand limited devices are not all remembered, the worst ones are', () => {
    const limiter = createRateLimiter({ device: { ratePerSecond: 1, burst: 1 }, tenant: wide });
    const of = (deviceId: string) => ({ tenantId: 't1', deviceId, arrivedAtMs: 0 });
    acceptedOf(limiter, [Array.from({ length: 50 }, () => of('worst'))]);
    acceptedOf(limiter, [Array.from({ length: 20_000 }, (_, index) => of(`x${index >> 1}`))]);
    expect(limiter.snapshot().topLimited[0]).toEqual({ tenantId: 't1', deviceId: 'worst', limited: 49 });
    expect(limiter.snapshot().topLimited).toHaveLength(10);
    const devices = createLimitedDevices();
    for (let index = 0; index < 5000; index++) devices.add('t1', `d${index}`);
    expect(devices.top(5000).length).toBeLessThanOrEqual(1000);
  });
});
