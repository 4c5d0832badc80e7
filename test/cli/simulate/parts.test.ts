import { expect, test } from 'bun:test';
import { createLatencies } from '../../../src/cli/simulate/latency.ts';
import { limitsFor } from '../../../src/cli/simulate/register-fleet.ts';
import { checkTarget } from '../../../src/cli/simulate/target.ts';

test('quantiles are right to 2 %, and there are none before the first duration', () => {
  const latencies = createLatencies();
  expect(latencies.quantile(0.5)).toBeUndefined();
  for (let i = 1; i <= 10_000; i += 1) latencies.record(i / 10);
  for (const [q, expected] of [
    [0.5, 500],
    [0.95, 950],
    [0.99, 990],
  ] as const) {
    expect(Math.abs((latencies.quantile(q) ?? 0) / expected - 1)).toBeLessThan(0.02);
  }
});

test.each([
  ['http://127.0.0.1:8080', 'mqtt://localhost:1883'],
  ['http://[::1]:8080', 'mqtt://127.1.2.3:1883'],
])('%s and %s are on this machine', (httpUrl, mqttUrl) => {
  expect(checkTarget({ httpUrl, mqttUrl }, false)).toEqual({ httpUrl, mqttUrl });
});

test.each([
  ['http://10.0.0.1:8080', 'mqtt://127.0.0.1:1883', 'http://10.0.0.1:8080 is not on this machine'],
  ['http://127.0.0.1', 'mqtt://127.0.0.1.example.org', 'is not on this machine'],
  ['http://127.0.0.1', 'nonsense', '"nonsense" is not a URL'],
])('%s and %s need a word of consent', (httpUrl, mqttUrl, sentence) => {
  expect(() => checkTarget({ httpUrl, mqttUrl }, false)).toThrow(sentence);
});

test('--allow-remote is that word', () => {
  expect(() => checkTarget({ httpUrl: 'http://10.0.0.1', mqttUrl: 'mqtt://10.0.0.1' }, true)).not.toThrow();
});

test('the limits of a simulated fleet leave room for twice what it sends', () => {
  expect(limitsFor(10, 1_000)).toEqual({
    tenant: { ratePerSecond: 2_000, burst: 20_000 },
    device: { ratePerSecond: 200, burst: 2_000 },
  });
  expect(limitsFor(1_000, 10).device).toEqual({ ratePerSecond: 5, burst: 50 });
});
