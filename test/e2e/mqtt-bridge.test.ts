import { afterAll, beforeAll, expect, test } from 'bun:test';
import mqtt, { type MqttClient } from 'mqtt';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { insertDevices } from '../harness/fleet.ts';
import { startMosquitto, type TestMosquitto } from '../harness/mosquitto.ts';
import { type RoleProcess, runTributary, startRole } from '../harness/role-process.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { freeze } from '../stream/stream-fixture.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };
const topic = 'tenant/acme/device/d1/telemetry';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ roles: { gateway: 0, mqtt: 0, worker: 1 } });
  await insertDevices(stack.pool, [device], { ratePerSecond: 100_000, burst: 1_000_000 });
}, 60_000);
afterAll(() => stack[Symbol.asyncDispose]());

async function startBridge(broker: TestMosquitto, clientId: string, more: Record<string, string> = {}) {
  const healthPort = await findFreePort({ random: Math.random });
  const settings = {
    TRIBUTARY_BRIDGE_URL: broker.url,
    TRIBUTARY_BRIDGE_CLIENT_ID: clientId,
    TRIBUTARY_HEALTH_PORT: String(healthPort),
    ...more,
  };
  const role = await startRole('mqtt-bridge', { ...stack.env, ...settings });
  return { ...role, healthPort, [Symbol.asyncDispose]: () => role.kill() };
}

function allSubscribed(bridge: Pick<RoleProcess, 'log'>, connections = 4): Promise<boolean> {
  const count = () => bridge.log().split('"event":"mqtt_bridge_subscribed"').length - 1;
  return until(() => count() >= connections, { what: 'the bridge is subscribed' });
}

/** As docs/mqtt-bridge.md has it: nothing is dropped for being too much, and the window is the bridge's own. */
const generous = ['max_queued_messages 0', 'max_inflight_messages 0'];

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

/** A device of the user's, that sends what was not acknowledged again. */
async function startPublisher(broker: TestMosquitto): Promise<Publisher> {
  const client = await mqtt.connectAsync(broker.url, {
    reconnectPeriod: 50,
    clean: false,
    clientId: `d-${Math.random()}`,
  });
  client.on('error', () => undefined);
  return new Publisher(client);
}

class Publisher {
  readonly acknowledged: number[] = [];
  readonly #client: MqttClient;
  readonly #sent: Promise<unknown>[] = [];

  constructor(client: MqttClient) {
    this.#client = client;
  }

  send(n: number, more: object = { ts: Date.now(), seq: n }): void {
    const body = { site_id: 's1', provision_token: device.token, metrics: { n }, ...more };
    const published = this.#client.publishAsync(topic, JSON.stringify(body), { qos: 1 });
    this.#sent.push(published.then(() => this.acknowledged.push(n)));
  }

  async allAcknowledged(): Promise<void> {
    await Promise.all(this.#sent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
  }
}

async function readiness({ healthPort }: { readonly healthPort: number }) {
  const response = await fetch(`http://127.0.0.1:${healthPort}/readyz`);
  return { status: response.status, text: await response.text() };
}

/** Messages that a bridge has acknowledged, by its metrics. */
async function settledBy({ healthPort }: { readonly healthPort: number }): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
  const counts = text.matchAll(/^tributary_mqtt_bridge_messages_total{.*} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** How often each of these readings is stored. */
async function timesStored(from: number, to: number): Promise<Map<number, number>> {
  const { rows } = await stack.pool.query<{ n: number; times: number }>(
    `select (metrics->>'n')::int as n, count(*)::int as times from telemetry
      where (metrics->>'n')::int between $1 and $2 group by 1`,
    [from, to],
  );
  return new Map(rows.map(({ n, times }) => [n, times]));
}

/** Waits until all are rows, then says which of them are there more than once. */
async function doubled(numbers: readonly number[]): Promise<number[]> {
  const [from, to] = [Math.min(...numbers), Math.max(...numbers)];
  const times = await until(
    async () => {
      const found = await timesStored(from, to);
      return numbers.every((n) => found.has(n)) && found;
    },
    { what: `the readings ${from} to ${to} are rows`, timeoutMs: 30_000 },
  );
  return numbers.filter((n) => times.get(n) !== 1);
}

test('what mosquitto_pub publishes at Mosquitto is a row; a wrong token is in quarantine; `status` shows the bridge', async () => {
  await using broker = await startMosquitto();
  await using bridge = await startBridge(broker, 'happy');
  await allSubscribed(bridge);
  const publish = async (body: object) => {
    const args = ['-h', '127.0.0.1', '-p', String(broker.port), '-q', '1', '-t', topic];
    expect(await Bun.spawn(['mosquitto_pub', ...args, '-m', JSON.stringify(body)]).exited).toBe(0);
  };
  await publish({ site_id: 's1', provision_token: device.token, metrics: { n: 1 } });
  await publish({ site_id: 's1', provision_token: 'wrong', metrics: { n: 2 } });
  expect(await doubled([1])).toEqual([]);
  expect(await readiness(bridge)).toEqual({ status: 200, text: expect.any(String) });
  await until(async () => (await stack.pool.query('select from quarantine')).rowCount === 1, {
    what: 'the wrong one',
  });
  const status = (await stack.cliJson('status')) as { roles: { role: string }[] };
  expect(status.roles).toContainEqual(
    expect.objectContaining({
      role: 'mqtt-bridge',
      connections: 4,
      held: 0,
      broker: `127.0.0.1:${broker.port}`,
    }),
  );
  expect(await bridge.stop()).toBe(0);
});

test('two bridges share the messages: each is one row, though they bring no identity', async () => {
  await using broker = await startMosquitto({ config: generous });
  await using one = await startBridge(broker, 'one');
  await using two = await startBridge(broker, 'two');
  await Promise.all([allSubscribed(one), allSubscribed(two)]);
  await using publisher = await startPublisher(broker);
  const numbers = range(1_000, 400);
  for (const n of numbers) publisher.send(n, {});
  await publisher.allAcknowledged();
  expect(await doubled(numbers)).toEqual([]);
  const shares = await Promise.all([one, two].map((bridge) => settledBy(bridge)));
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(400);
  expect(Math.min(...shares)).toBeGreaterThan(0);
});

/** Publishes these one after the other, a few at a time, and does `meanwhile` once a quarter of them is acknowledged. */
async function publishAround(
  publisher: Publisher,
  numbers: readonly number[],
  more: (n: number) => object,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const done = (async () => {
    for (const n of numbers) {
      publisher.send(n, more(n));
      if (n % 20 === 0) await publisher.allAcknowledged();
    }
  })();
  await until(() => publisher.acknowledged.length >= numbers.length / 4, {
    what: 'a quarter is acknowledged',
  });
  await meanwhile();
  await done;
  await publisher.allAcknowledged();
}

const identified = (n: number) => ({ ts: Date.now(), seq: n });
const unidentified = () => ({});

test('NATS killed: the broker keeps what is not acknowledged, and each is one row, though they bring no identity', async () => {
  await using broker = await startMosquitto({ config: generous });
  await using bridge = await startBridge(broker, 'nats-killed');
  await allSubscribed(bridge);
  await using publisher = await startPublisher(broker);
  const [before, after] = [range(10_000, 800), range(11_000, 200)];
  await publishAround(publisher, before, unidentified, async () => {
    await stack.nats.kill();
    for (const n of after) publisher.send(n, {});
    await publisher.allAcknowledged();
    await until(() => bridge.log().includes('mqtt_bridge_holding'), { what: 'the bridge holds back' });
    expect(await settledBy(bridge)).toBeLessThanOrEqual(before.length);
    await stack.nats.start();
  });
  expect(await doubled([...before, ...after])).toEqual([]);
});

test('NATS frozen: what it stored and did not say is one row, though it is offered again and brings no identity', async () => {
  await using broker = await startMosquitto({ config: generous });
  await using bridge = await startBridge(broker, 'nats-frozen');
  await allSubscribed(bridge);
  await using publisher = await startPublisher(broker);
  const numbers = range(15_000, 50);
  await freeze(stack.nats.pid());
  for (const n of numbers) publisher.send(n, {});
  await publisher.allAcknowledged();
  await until(() => bridge.log().includes('mqtt_bridge_holding'), { what: 'the bridge holds back' });
  process.kill(stack.nats.pid(), 'SIGCONT');
  expect(await doubled(numbers)).toEqual([]);
  await until(() => bridge.log().includes('mqtt_bridge_flowing'), { what: 'nothing is held back' });
});

const alone = { TRIBUTARY_BRIDGE_CONNECTIONS: '1', TRIBUTARY_BRIDGE_SHARED: 'no' };

test.each([
  ['MQTT 5, shared', 20_000, 4, {}],
  ['MQTT 3.1.1, alone', 22_000, 1, { TRIBUTARY_BRIDGE_MQTT_VERSION: '3.1.1', ...alone }],
])(
  'the bridge killed (%s): what it had not acknowledged comes again, and each is one row',
  async (_name, from, connections, settings) => {
    await using broker = await startMosquitto({ config: generous });
    await using first = await startBridge(broker, 'killed', settings);
    await allSubscribed(first, connections);
    await using publisher = await startPublisher(broker);
    const [before, after] = [range(from, 800), range(from + 1_000, 200)];
    await publishAround(publisher, before, identified, () => first.kill());
    for (const n of after) publisher.send(n);
    await publisher.allAcknowledged();
    await using second = await startBridge(broker, 'killed', settings);
    expect(await doubled([...before, ...after])).toEqual([]);
    await until(async () => (await settledBy(second)) > 0, { what: 'the second took over' });
  },
);

test('the bridge stopped and started again, twice: each is one row, though they bring no identity', async () => {
  await using broker = await startMosquitto({ config: generous });
  await using publisher = await startPublisher(broker);
  await using bridges = new AsyncDisposableStack();
  const start = async () => bridges.use(await startBridge(broker, 'restarted'));
  let running = await start();
  await allSubscribed(running);
  const numbers = range(25_000, 1_000);
  await publishAround(publisher, numbers, unidentified, async () => {
    for (let restarts = 0; restarts < 2; restarts += 1) {
      expect(await running.stop()).toBe(0);
      running = await start();
    }
  });
  expect(await doubled(numbers)).toEqual([]);
});

test('the broker killed with messages that it had saved: each is one row, though they bring no identity', async () => {
  await using broker = await startMosquitto({ config: generous });
  await using bridge = await startBridge(broker, 'broker-killed');
  await allSubscribed(bridge);
  await using publisher = await startPublisher(broker);
  await stack.nats.kill();
  const numbers = range(30_000, 200);
  for (const n of numbers) publisher.send(n, {});
  await publisher.allAcknowledged();
  await until(() => numbers.every((n) => broker.hasSaved(`"n":${n}}`)), {
    what: 'the broker has saved them',
  });
  await until(() => bridge.log().includes('mqtt_bridge_holding'), { what: 'the bridge holds back' });
  await broker.kill();
  await until(() => bridge.log().includes('mqtt_bridge_away'), { what: 'the bridge has lost the broker' });
  // Now it publishes what it has in hand, and the broker sends that again.
  await stack.nats.start();
  const isTheBroker = async () => (await readiness(bridge)).text.includes('the broker is away');
  await until(isTheBroker, { what: 'it is not ready, for the broker' });
  expect((await readiness(bridge)).status).toBe(503);
  await broker.start();
  await allSubscribed(bridge, 8);
  expect(await doubled(numbers)).toEqual([]);
  expect(bridge.log()).not.toContain('mqtt_bridge_session_lost');
});

test('a bridge that is taken away leaves nothing behind in the group', async () => {
  await using broker = await startMosquitto({ config: generous });
  const one = { TRIBUTARY_BRIDGE_CONNECTIONS: '1' };
  await using stays = await startBridge(broker, 'stays', one);
  await using goes = await startBridge(broker, 'goes', one);
  await Promise.all([allSubscribed(stays, 1), allSubscribed(goes, 1)]);
  await goes.stop();
  await using publisher = await startPublisher(broker);
  const before = range(40_000, 300);
  for (const n of before) publisher.send(n, {});
  await publisher.allAcknowledged();
  const env = { ...stack.env, ...one, TRIBUTARY_BRIDGE_URL: broker.url, TRIBUTARY_BRIDGE_CLIENT_ID: 'goes' };
  const { code, stdout } = await runTributary(['mqtt-bridge', '--bridge-retire'], env);
  expect(code).toBe(0);
  expect(stdout).toContain('mqtt_bridge_retired');
  expect(await doubled(before)).toEqual([]);
  expect(await settledBy(stays)).toBe(150);
  const after = range(41_000, 100);
  for (const n of after) publisher.send(n, {});
  expect(await doubled(after)).toEqual([]);
});
