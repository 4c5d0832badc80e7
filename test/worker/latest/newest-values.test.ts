import { describe, expect, test } from 'bun:test';
import { createSeededRandom } from '../../../src/lib/seeded-random.ts';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import type { Accepted } from '../../../src/model/verdict.ts';
import { NewestValues } from '../../../src/worker/latest/newest-values.ts';
import { scripted } from '../settling.ts';

interface Sent {
  readonly deviceId?: string;
  readonly atMs: number;
  /** Arrival, where it is not the event time. */
  readonly arrivedAtMs?: number;
  readonly seq?: number;
  readonly metrics: Record<string, unknown>;
}

function accepted({ deviceId = 'd1', atMs, arrivedAtMs = atMs, seq, metrics }: Sent): Accepted {
  const { verdict } = scripted({ seq: 1 });
  if (verdict.outcome !== 'accept') throw new Error('the script is not accepted');
  const { reading } = verdict;
  const ids = { tenantId: 't1' as TenantId, deviceId: deviceId as DeviceId };
  return { ...verdict, reading: { ...reading, ...ids, timeUs: atMs * 1_000, arrivedAtMs, seq, metrics } };
}

function newestOf(all: readonly Sent[]): NewestValues {
  const newest = new NewestValues();
  for (const sent of all) newest.add(accepted(sent), 100);
  return newest;
}

const shown = (newest: NewestValues) =>
  newest
    .values()
    .map(({ deviceId, metric, valueText }) => `${deviceId} ${metric} ${valueText}`)
    .sort();

test('a newer reading replaces the values it has, whatever else it has or lacks', () => {
  const newest = newestOf([
    { atMs: 1, metrics: { a: 1, b: 1, c: 1 } },
    { atMs: 3, metrics: { a: 3, d: 3 } },
    { atMs: 2, metrics: { a: 2, b: 2, d: 2, e: 2 } },
  ]);
  expect(shown(newest)).toEqual(['d1 a 3', 'd1 b 2', 'd1 c 1', 'd1 d 3', 'd1 e 2']);
  expect(newest.size).toBe(5);
});

test('null, lists and objects are no values: they neither count nor hide an older one', () => {
  const newest = newestOf([
    { atMs: 1, metrics: { a: 1, b: 'x' } },
    { atMs: 2, metrics: { a: null, b: { x: 1 }, c: null } },
  ]);
  expect(shown(newest)).toEqual(['d1 a 1', 'd1 b "x"']);
  expect(newest.size).toBe(2);
});

describe('which of two readings is newer', () => {
  const winner = (first: Omit<Sent, 'metrics'>, second: Omit<Sent, 'metrics'>) =>
    shown(
      newestOf([
        { ...first, metrics: { a: 'first' } },
        { ...second, metrics: { a: 'second' } },
      ]),
    )[0];

  test('goes by event time', () => {
    expect(winner({ atMs: 2 }, { atMs: 1 })).toBe('d1 a "first"');
    expect(winner({ atMs: 1 }, { atMs: 2 })).toBe('d1 a "second"');
  });
  test('goes by arrival where the device’s clock runs ahead', () => {
    expect(winner({ atMs: 9_000, arrivedAtMs: 1 }, { atMs: 2 })).toBe('d1 a "second"');
  });
  test('goes by seq at equal times, then by which came later', () => {
    expect(winner({ atMs: 1, seq: 2 }, { atMs: 1, seq: 1 })).toBe('d1 a "first"');
    expect(winner({ atMs: 1, seq: 1 }, { atMs: 1, seq: 1 })).toBe('d1 a "second"');
  });
});

test('a reading goes once others have its values, but for those of its own that still count', async () => {
  const newest = newestOf([]);
  const addMany = () =>
    Array.from({ length: 100 }, (_, n) => {
      const metrics = { blob: 'x'.repeat(1_000), [`once_${n}`]: n };
      newest.add(accepted({ deviceId: `d${n}`, atMs: 1, metrics }), 100);
      newest.add(accepted({ deviceId: `d${n}`, atMs: 2, metrics: { blob: 'y' } }), 100);
      return new WeakRef(metrics);
    });
  const readings = addMany();
  await Bun.sleep(0);
  Bun.gc(true);
  // Some may still be found on the stack.
  expect(readings.filter((reading) => reading.deref() !== undefined).length).toBeLessThan(50);
  expect(newest.size).toBe(200);
});

test('merged, of two that are equal the later one still counts', () => {
  const merged = newestOf([]);
  merged.merge(
    newestOf([
      { atMs: 1, metrics: { p: 1, q: 1 } },
      { atMs: 5, metrics: { z: 5 } },
      { atMs: 1, metrics: { p: 2 } },
    ]),
  );
  expect(shown(merged)).toEqual(['d1 p 2', 'd1 q 1', 'd1 z 5']);
});

test('many readings in any order, and two merged, give what sensor by sensor would', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = createSeededRandom(seed);
    const below = (n: number) => Math.floor(random() * n);
    const all = Array.from({ length: 40 }, (_, n): Sent => {
      const metrics = Object.fromEntries(
        ['a', 'b', 'c', 'd'].filter(() => random() < 0.5).map((m) => [m, random() < 0.2 ? null : n]),
      );
      // Each time once: what is equal is decided by the tests above.
      return { deviceId: `d${below(3)}`, atMs: below(1_000) * 100 + n, metrics };
    });
    const half = below(40);
    const merged = newestOf(all.slice(0, half));
    merged.merge(newestOf(all.slice(half)));
    const expected = sensorBySensor(all);
    for (const newest of [newestOf(all), merged]) {
      expect(shown(newest)).toEqual(expected);
      expect(newest.size).toBe(expected.length);
    }
  }
});

function sensorBySensor(all: readonly Sent[]): string[] {
  const values = new Map<string, { atMs: number; value: unknown }>();
  for (const { deviceId, atMs, metrics } of all) {
    for (const [metric, value] of Object.entries(metrics)) {
      const key = `${deviceId} ${metric}`;
      if (value !== null && (values.get(key)?.atMs ?? -1) <= atMs) values.set(key, { atMs, value });
    }
  }
  return [...values].map(([key, { value }]) => `${key} ${value}`).sort();
}
