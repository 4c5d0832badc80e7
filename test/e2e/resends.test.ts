import { expect, test } from 'bun:test';
import mqtt from 'mqtt';
import { type FleetDevice, inParallel, insertDevices, post } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const device: FleetDevice = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };
const count = 1_000;
const numbers = Array.from({ length: count }, (_, n) => n);

type Body = (n: number) => object;

async function overHttp(stack: Stack, body: Body): Promise<void> {
  await inParallel(numbers, 32, async (n) => {
    expect((await post(stack.httpUrl, device, body(n))).status).toBe(202);
  });
}

async function overMqtt(stack: Stack, body: Body): Promise<void> {
  const client = await mqtt.connectAsync(stack.mqttUrl, { username: 'acme/d1', password: device.token });
  await inParallel(numbers, 32, async (n) => {
    await client.publishAsync('tenant/acme/device/d1/telemetry', spelledAnew(body(n)), { qos: 1 });
  });
  await client.endAsync();
}

/** The same JSON as another library would print it: other order, white space, and whole numbers with a point. */
function spelledAnew(body: object): string {
  const reversed = Object.fromEntries(Object.entries(body).toReversed());
  return JSON.stringify(reversed, null, 2).replaceAll(/: (\d+)(,?)$/gm, ': $1.0$2');
}

/** Everything that JetStream took has its outcome. */
async function settled(stack: Stack): Promise<void> {
  await until(
    async () => {
      const audit = (await stack.cliJson('audit')) as { in_flight: number };
      return audit.in_flight === 0;
    },
    { what: 'nothing is in flight', timeoutMs: 30_000, everyMs: 200 },
  );
}

async function sendThreeTimes(stack: Stack, body: Body): Promise<void> {
  await overHttp(stack, body);
  await overMqtt(stack, body);
  await settled(stack);
  // A restarted work queue has forgotten the ids of what was acked: from here on only the database knows.
  await stack.nats.restart();
  await until(async () => (await fetch(`${stack.httpUrl}/readyz`)).ok, {
    what: 'the gateway is ready again',
  });
  await overHttp(stack, body);
  await settled(stack);
}

async function outcome(stack: Stack) {
  const { rows } = await stack.pool.query(
    `select (select count(*)::int from telemetry) as rows,
            (select count(distinct (metrics->>'n')::float8)::int from telemetry) as messages,
            (select count(*)::int from quarantine) as quarantined,
            (select sum(duplicates)::int from ledger) as duplicates`,
  );
  return rows[0];
}

test('1,000 messages with ts and seq over HTTP, again over MQTT, and again after a NATS restart: 1,000 rows', async () => {
  await using stack = await startStack();
  await insertDevices(stack.pool, [device], { ratePerSecond: 1e6, burst: 1e8 });
  const startMs = Date.now() - 60_000;
  await sendThreeTimes(stack, (n) => ({ site_id: 's1', ts: startMs + n, seq: n, metrics: { n } }));
  const { duplicates, ...counts } = await outcome(stack);
  expect(counts).toEqual({ rows: count, messages: count, quarantined: 0 });
  expect(duplicates).toBeGreaterThanOrEqual(count);
}, 120_000);

test('the same with a key and no ts, where every send has another arrival time', async () => {
  await using stack = await startStack();
  await insertDevices(stack.pool, [device], { ratePerSecond: 1e6, burst: 1e8 });
  await sendThreeTimes(stack, (n) => ({ site_id: 's1', msg_id: `message-${n}`, metrics: { n } }));
  const { duplicates, ...counts } = await outcome(stack);
  expect(counts).toEqual({ rows: count, messages: count, quarantined: 0 });
  expect(duplicates).toBeGreaterThanOrEqual(count);
}, 120_000);
