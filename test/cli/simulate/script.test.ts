import { expect, test } from 'bun:test';
import { makeFleet } from '../../../src/cli/simulate/fleet.ts';
import { measure } from '../../../src/cli/simulate/readings.ts';
import { createScript, defaultShares, type ScriptedMessage } from '../../../src/cli/simulate/script.ts';
import { createSeededRandom } from '../../../src/lib/seeded-random.ts';

const startMs = Date.UTC(2026, 2, 1, 12);
let tokens = 0;
const newToken = () => `token-${tokens++}`;

function play(seed: number, count: number, shares = defaultShares): ScriptedMessage[] {
  const random = createSeededRandom(seed);
  const script = createScript(makeFleet(40, random, newToken), shares, random);
  return Array.from({ length: count }, (_, index) => script.next(startMs + index * 100));
}

const told = (messages: readonly ScriptedMessage[]) =>
  messages.map(({ device, msgType, purpose, body }) => ({ id: device.deviceId, msgType, purpose, body }));

test('the same seed sends the same at the same time, another seed something else; tokens are always fresh', () => {
  const [one, again, other] = [play(7, 500), play(7, 500), play(8, 500)];
  expect(told(one)).toEqual(told(again));
  expect(told(one)).not.toEqual(told(other));
  expect(one[0]?.device.token).not.toBe(again[0]?.device.token);
});

test('every device has its turn, and its seq counts its own messages', () => {
  const messages = play(1, 400, { heartbeats: 0.1, late: 0, duplicates: 0, wrongTokens: 0 });
  const seqs = Map.groupBy(messages, (message) => message.device.deviceId);
  expect(seqs.size).toBe(40);
  for (const own of seqs.values()) {
    expect(own.map((message) => (JSON.parse(message.body) as { seq: number }).seq)).toEqual(
      own.map((_, i) => i + 1),
    );
  }
});

test('the unusual comes in about the shares that were asked for', () => {
  const messages = play(3, 20_000, { heartbeats: 0.1, late: 0.05, duplicates: 0.04, wrongTokens: 0.1 });
  const share = (purpose: string) =>
    messages.filter((message) => message.purpose === purpose).length / 20_000;
  expect(share('duplicate')).toBeCloseTo(0.04, 1);
  expect(share('late')).toBeGreaterThan(0.03);
  // A quarter of the fleet is on MQTT, where a stranger has no say.
  expect(share('wrong_token')).toBeWithin(0.06, 0.09);
  expect(share('plain')).toBeGreaterThan(0.75);
});

test('a duplicate is an earlier message to the letter; a late one tells of minutes ago', () => {
  const messages = play(5, 5_000);
  const seen = new Set<string>();
  for (const { device, purpose, body } of messages) {
    const key = `${device.deviceId} ${body}`;
    if (purpose === 'duplicate') expect(seen.has(key)).toBe(true);
    else seen.add(key);
  }
  messages.forEach(({ purpose, body }, index) => {
    if (purpose !== 'late') return;
    const ageMs = startMs + index * 100 - Date.parse((JSON.parse(body) as { ts: string }).ts);
    expect(ageMs).toBeWithin(2 * 60_000, 45 * 60_000 + 1);
  });
});

test('wrong tokens go over HTTP only and are not the device’s', () => {
  const wrong = play(9, 5_000, { heartbeats: 0, late: 0, duplicates: 0, wrongTokens: 0.5 }).filter(
    (message) => message.purpose === 'wrong_token',
  );
  expect(wrong.length).toBeGreaterThan(500);
  for (const { device, token } of wrong) {
    expect(device.way).not.toBe('mqtt');
    expect(token).not.toBe(device.token);
  }
});

test('a day of measurements stays believable: warm afternoons, counters that only rise', () => {
  const random = createSeededRandom(2);
  const fleet = makeFleet(10, random, newToken);
  for (const device of fleet) {
    const day = Array.from({ length: 96 }, (_, i) =>
      measure(device, Date.UTC(2026, 4, 5) + i * 900_000, random),
    );
    const series = (name: string) =>
      day.map((metrics) => metrics[name]).filter((value) => typeof value === 'number');
    if (device.kind === 'climate') {
      expect(series('temperature_c')[60] ?? 0).toBeGreaterThan((series('temperature_c')[12] ?? 0) + 5);
      for (const value of series('humidity_pct')) expect(value).toBeWithin(5, 100.1);
    }
    if (device.kind === 'power') {
      const energy = series('energy_kwh');
      expect(energy).toEqual([...energy].sort((a, b) => a - b));
      for (const value of series('power_w')) expect(value).toBeWithin(0, 6_000);
    }
    if (device.kind === 'door') for (const value of series('battery_pct')) expect(value).toBeWithin(0, 101);
  }
});
