import { expect, test } from 'bun:test';
import { flowRates } from '../../../src/roles/status/flow-rates.ts';
import type { RoleAnswer } from '../../../src/roles/status/probe-nats.ts';

function role(id: string, more: Readonly<Record<string, unknown>>, uptimeMs = 60_000): RoleAnswer {
  return { role: id.split('-')[0] ?? '', id, version: '1.0.0', pid: 1, host: 'h', uptimeMs, ...more };
}

const histogram = (...counts: number[]) => ({ bounds: [10, 100], counts });

test('rates are what every process counted in between, together', () => {
  const before = [
    role('gateway-1', { intake: { http: { accepted: 100, duplicate: 5 } }, cpuMs: 1_000 }),
    role('gateway-2', { intake: { http: { accepted: 50 } }, cpuMs: 0 }),
    role('worker-1', { settled: { stored: 90, quarantined: 1 }, doorToRowHistogramMs: histogram(90, 0, 0) }),
  ];
  const after = [
    role('gateway-1', {
      intake: { http: { accepted: 120, duplicate: 6 }, batch: { accepted: 8 } },
      cpuMs: 2_000,
    }),
    role('gateway-2', { intake: { http: { accepted: 60, unavailable: 4, token_refused: 2 } }, cpuMs: 0 }),
    role('worker-1', {
      settled: { stored: 110, quarantined: 3 },
      doorToRowHistogramMs: histogram(100, 10, 0),
    }),
  ];
  const rates = flowRates({ atMs: 1_000, roles: before }, { atMs: 3_000, roles: after });
  expect(rates.bySource).toEqual({
    http: { accepted: 15, duplicate: 0.5, refused: 3 },
    batch: { accepted: 4, duplicate: 0, refused: 0 },
  });
  expect(rates.byVerdict).toEqual({ stored: 10, duplicate: 0, quarantined: 1, internal: 0 });
  expect(rates.doorToRowMs?.p50).toBe(10);
  expect(rates.doorToRowMs?.p99).toBeCloseTo(98.2, 9);
  expect([...rates.cpuById]).toEqual([
    ['gateway-1', 0.5],
    ['gateway-2', 0],
  ]);
});

test('a process that was started in between counts from its start; one that was only not heard does not count', () => {
  const started = role('gateway-1', { intake: { http: { accepted: 20 } } }, 900);
  const unheard = role('gateway-2', { intake: { http: { accepted: 1_000_000 } } }, 600_000);
  const rates = flowRates({ atMs: 0, roles: [] }, { atMs: 1_000, roles: [started, unheard] });
  expect(rates.bySource.http?.accepted).toBe(20);
});

test('a process that began again under another id takes nothing away, and one without counters is no trouble', () => {
  const before = [role('worker-1', { settled: { stored: 500 }, doorToRowHistogramMs: histogram(500, 0, 0) })];
  const after = [
    role('worker-2', { settled: { stored: 3 }, doorToRowHistogramMs: histogram(0, 3, 0) }, 500),
    role('worker-3', { settled: 'none' }),
    role('delivery-1', {}),
  ];
  const rates = flowRates({ atMs: 0, roles: before }, { atMs: 1_000, roles: after });
  expect(rates.byVerdict.stored).toBe(3);
  expect(rates.doorToRowMs?.p50).toBe(55);
  expect(flowRates({ atMs: 0, roles: [] }, { atMs: 0, roles: [] }).doorToRowMs).toBeUndefined();
});
