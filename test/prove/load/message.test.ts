import { expect, test } from 'bun:test';
import { createSeededRandom } from '../../../src/lib/seeded-random.ts';
import { faults, parseFaults } from '../../../src/prove/faults/faults.ts';
import { doors, identityOf, makeMessages } from '../../../src/prove/load/message.ts';
import { needsOf, scheduleMany, scheduleOne } from '../../../src/prove/schedule.ts';

const devices = [0, 1].map((d) => ({
  tenantId: 't',
  deviceId: `device-${d}`,
  siteId: 's',
  token: `token-${d}`,
}));
const make = (seed: number) =>
  makeMessages({
    count: 2_000,
    firstN: 100,
    devices,
    random: createSeededRandom(seed),
    nowMs: 1_767_225_600_000,
    padding: 0,
    doors,
    runId: 'r',
  });

test('the same seed makes the same messages, another seed others', () => {
  expect(make(1)).toEqual(make(1));
  expect(make(1)).not.toEqual(make(2));
});

test('every class goes through every door, and a known share has to be refused', () => {
  const messages = make(1);
  const kinds = new Set(messages.map((message) => `${message.class} ${message.door}`));
  expect(kinds.size).toBe(4 * 3);
  const share = messages.filter(({ destiny }) => destiny !== 'stored').length / messages.length;
  expect(share).toBeGreaterThan(0.03);
  expect(share).toBeLessThan(0.08);
});

test('no two messages have an identity in common, and the class without one has none', () => {
  const identities = make(1).flatMap((message) => identityOf(message) ?? []);
  expect(new Set(identities).size).toBe(identities.length);
  expect(
    make(1).filter((message) => (message.class === 'none') !== (identityOf(message) === undefined)),
  ).toEqual([]);
});

test('names and groups of faults', () => {
  const anywhere = faults.filter(
    ({ group }) => !['disk', 'clock-step', 'routes', 'bridge', 'cluster'].includes(group),
  );
  expect(parseFaults(['all'])).toHaveLength(anywhere.length);
  expect(parseFaults(['all', 'disk', 'clock-step', 'routes', 'bridge', 'cluster'])).toHaveLength(
    faults.length,
  );
  expect(parseFaults(['kill', 'kill-nats']).map(({ name }) => name)).toEqual([
    'kill-gateway',
    'kill-mqtt',
    'kill-worker',
    'kill-nats',
    'kill-postgres',
    'kill-backend',
  ]);
  expect([...needsOf(parseFaults(['kill', 'cut']))]).toEqual(['proxies']);
  expect(() => parseFaults(['toString'])).toThrow('no fault "toString"');
});

test('the one fault of a short trial strikes while the load goes on; those of a long one follow one another', () => {
  const [nats] = parseFaults(['kill-nats']);
  if (nats === undefined) throw new Error('no fault');
  for (let seed = 0; seed < 100; seed += 1) {
    const [strike] = scheduleOne(nats, 1_000, createSeededRandom(seed));
    expect(strike?.atMs).toBeWithin(50, 651);
    const many = scheduleMany(faults, 120_000, createSeededRandom(seed));
    expect(many.length).toBeGreaterThan(14);
    expect(many.every(({ atMs }, index) => index === 0 || atMs - (many[index - 1]?.atMs ?? 0) >= 2_000)).toBe(
      true,
    );
    for (const { faults: struck } of many) {
      const targets = struck.map(({ name }) => name.split('-').at(-1));
      expect(new Set(targets).size).toBe(struck.length);
    }
  }
});
