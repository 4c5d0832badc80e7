import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import mqtt from 'mqtt';
import { insertDevices } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };
const topic = 'tenant/acme/device/d1/telemetry';

let stack: Stack;
let nc: NatsConnection;
beforeAll(async () => {
  stack = await startStack();
  nc = await connect({ servers: stack.nats.url });
  await insertDevices(stack.pool, [device], { ratePerSecond: 10_000, burst: 100_000 });
});
afterAll(async () => {
  await nc.close();
  await stack[Symbol.asyncDispose]();
});

async function stored(n: number): Promise<Record<string, unknown>> {
  return until(
    async () => (await stack.pool.query(`select * from telemetry where metrics @> '{"n": ${n}}'`)).rows[0],
    { what: `the reading ${n} is a row` },
  );
}

async function quarantined(marker: string): Promise<Record<string, unknown>> {
  return until(
    async () =>
      (
        await stack.pool.query(`select * from quarantine where position($1::bytea in envelope) > 0`, [
          Buffer.from(marker),
        ])
      ).rows[0],
    { what: `the message ${marker} is in quarantine` },
  );
}

const payload = (n: number, more: object = {}) => JSON.stringify({ site_id: 's1', metrics: { n }, ...more });

test.each([0, 1])('mosquitto_pub at QoS %p with the device’s credentials', async (qos) => {
  const n = 100 + qos;
  const port = String(new URL(stack.mqttUrl).port);
  const args = [
    '-h',
    '127.0.0.1',
    '-p',
    port,
    '-u',
    'acme/d1',
    '-P',
    device.token,
    '-q',
    String(qos),
    '-t',
    topic,
  ];
  const child = Bun.spawn(['mosquitto_pub', ...args, '-m', payload(n)], { stderr: 'pipe' });
  expect([await child.exited, await new Response(child.stderr).text()]).toEqual([0, '']);
  expect(await stored(n)).toMatchObject({ device_id: 'd1', msg_type: 'telemetry' });
});

test.each([0, 1] as const)('MQTT.js at QoS %p without credentials, the token in the payload', async (qos) => {
  const n = 200 + qos;
  const client = await mqtt.connectAsync(stack.mqttUrl);
  await client.publishAsync(topic, payload(n, { provision_token: device.token }), { qos });
  await client.endAsync();
  expect(await stored(n)).toMatchObject({ device_id: 'd1' });
});

test('a heartbeat without metrics is a row with its msg_type', async () => {
  const client = await mqtt.connectAsync(stack.mqttUrl, { username: 'acme/d1', password: device.token });
  await client.publishAsync('tenant/acme/device/d1/heartbeat', '{"site_id":"s1"}', { qos: 1 });
  await client.endAsync();
  const row = await until(
    async () => (await stack.pool.query(`select * from telemetry where msg_type = 'heartbeat'`)).rows[0],
    { what: 'the heartbeat is a row' },
  );
  expect(row).toMatchObject({ tenant_id: 'acme', device_id: 'd1', metrics: {} });
});

const envelope = (more: object) => ({
  topic,
  tenant_id: 'acme',
  device_id: 'd1',
  msg_type: 'telemetry',
  payload: { site_id: 's1', metrics: { n: 0 }, provision_token: device.token },
  ...more,
});
const publish = (data: unknown, subject = 'telemetry.acme') =>
  nc.publish(subject, typeof data === 'string' ? data : JSON.stringify(data));

test('an envelope of somebody else’s: extra fields, no username, no ts', async () => {
  publish(
    envelope({
      payload: { site_id: 's1', metrics: { n: 301 }, provision_token: device.token },
      clientid: 'x',
      qos: 1,
    }),
  );
  expect(await stored(301)).toMatchObject({ device_id: 'd1' });
});

test('an envelope whose payload is a JSON string', async () => {
  publish(envelope({ payload: payload(302, { provision_token: device.token }) }));
  expect(await stored(302)).toMatchObject({ device_id: 'd1' });
});

test.each([
  ['{"broken-1', 'telemetry.acme', 'BAD_ENVELOPE'],
  [envelope({ marker: 'wrong-topic-2', topic: 'somewhere/else' }), 'telemetry.acme', 'BAD_TOPIC_FORMAT'],
  [envelope({ marker: 'other-tenant-3' }), 'telemetry.other', 'TENANT_MISMATCH'],
])('published into NATS, %j on %s is quarantined as %s', async (data, subject, reason) => {
  publish(data, subject);
  const marker = typeof data === 'string' ? data : String((data as { marker?: string }).marker);
  const row = await quarantined(marker);
  expect(row.reason).toBe(reason);
  expect(Buffer.from(row.envelope as Uint8Array).toString()).not.toContain(device.token);
});

test('what was stored comes on the tap, without its token', async () => {
  const tap = nc.subscribe('readings.acme.*', { max: 1 });
  await nc.flush();
  publish(envelope({ payload: { site_id: 's1', metrics: { n: 400 }, provision_token: device.token } }));
  for await (const message of tap) {
    expect(message.subject).toBe('readings.acme.d1');
    expect(message.json<{ metrics: object }>().metrics).toEqual({ n: 400 });
    expect(message.string()).not.toContain(device.token);
  }
});
