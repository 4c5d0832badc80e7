import { afterAll, beforeAll, expect, test } from 'bun:test';
import mqtt from 'mqtt';
import { type CollectedSpan, type Collector, startCollector } from '../harness/collector.ts';
import { insertDevices } from '../harness/fleet.ts';
import { startMosquitto } from '../harness/mosquitto.ts';
import { startRole } from '../harness/role-process.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token-of-d1' };
const parent = 'b7ad6b7169203331';
let traces = 0;

let collector: Collector;
let stack: Stack;
beforeAll(async () => {
  collector = startCollector();
  stack = await startStack({ roles: { mqtt: 0 }, env: { TRIBUTARY_OTLP_URL: collector.url } });
  await insertDevices(stack.pool, [device], { ratePerSecond: 100_000, burst: 1_000_000 });
}, 60_000);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await collector.stop();
});

/** A trace of the test's own. */
function newTrace(): string {
  traces += 1;
  return traces.toString(16).padStart(32, 'e');
}

function send(traceparent: string | undefined, body: object, token = device.token): Promise<Response> {
  return fetch(`${stack.httpUrl}/ingest/v1/tenant/acme/device/d1/telemetry`, {
    method: 'POST',
    headers: { 'X-Provision-Token': token, ...(traceparent === undefined ? {} : { traceparent }) },
    body: JSON.stringify(body),
  });
}

function spansOf(traceId: string, count: number): Promise<CollectedSpan[]> {
  const found = () => collector.spans.filter((each) => each.traceId === traceId);
  return until(() => found().length >= count && found(), { what: `${count} spans of ${traceId}` });
}

function named(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.filter((each) => each.name === name);
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} spans are called ${name}`);
  return found[0];
}

test('a message over HTTP is followed from the door to the insert, each step under the one before', async () => {
  const traceId = newTrace();
  const sent = await send(`00-${traceId}-${parent}-01`, { site_id: 's1', metrics: { n: 1 } });
  expect(sent.status).toBe(202);
  const spans = await spansOf(traceId, 4);
  expect(spans.map(({ name }) => name).toSorted()).toEqual([
    'door.accept',
    'insert',
    'publish',
    'worker.settle',
  ]);
  const [door, publish] = [named(spans, 'door.accept'), named(spans, 'publish')];
  const [settle, insert] = [named(spans, 'worker.settle'), named(spans, 'insert')];
  expect([door, publish, settle, insert].map(({ parentSpanId }) => parentSpanId)).toEqual([
    parent,
    door.spanId,
    publish.spanId,
    settle.spanId,
  ]);
  // server, producer, consumer, client
  expect([door, publish, settle, insert].map(({ kind }) => kind)).toEqual([2, 4, 5, 3]);
  expect([door, settle].map(({ service }) => service)).toEqual(['tributary-gateway', 'tributary-worker']);
  for (const [inner, outer] of [
    [publish, door],
    [insert, settle],
  ] as const) {
    expect(BigInt(inner.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(outer.startTimeUnixNano));
    expect(BigInt(inner.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(outer.endTimeUnixNano));
  }
  expect(door.attributes).toMatchObject({
    'tributary.source': 'http',
    'tributary.tenant_id': 'acme',
    'tributary.device_id': 'd1',
    'tributary.outcome': 'accepted',
  });
  expect(settle.attributes).toMatchObject({ 'tributary.outcome': 'stored', 'tributary.attempts': 1 });
  const seq = publish.attributes['tributary.stream_seq'];
  expect(seq).toBeGreaterThan(0);
  expect(settle.attributes['tributary.stream_seq']).toBe(seq);
  expect(settle.attributes['tributary.identity']).toBe(door.attributes['tributary.identity']);
});

test('what is quarantined has its reason and no insert, and no token is in any span', async () => {
  const traceId = newTrace();
  await send(`00-${traceId}-${parent}-01`, { site_id: 's1', metrics: { n: 1 } }, 'secret-token-of-nobody');
  const spans = await spansOf(traceId, 3);
  expect(named(spans, 'worker.settle').attributes).toMatchObject({
    'tributary.outcome': 'quarantined',
    'tributary.reason': 'TOKEN_INVALID',
  });
  expect(spans.some(({ name }) => name === 'insert')).toBe(false);
  expect(collector.bodies.join('')).not.toContain('secret-token');
});

test('without the flag, without a context, and with nonsense in its place nothing is recorded', async () => {
  const traceId = newTrace();
  const before = collector.spans.length;
  for (const header of [`00-${traceId}-${parent}-00`, undefined, `00-${traceId}-${parent}-1`, 'nonsense'])
    expect((await send(header, { site_id: 's1', metrics: { n: 2 } })).status).toBe(202);
  // What comes after them is recorded, and so would they have been.
  const last = newTrace();
  await send(`00-${last}-${parent}-01`, { site_id: 's1', metrics: { n: 3 } });
  expect(await spansOf(last, 4)).toHaveLength(4);
  expect(collector.spans.length).toBe(before + 4);
});

test('each item of a batch has spans of its own under the request’s context', async () => {
  const traceId = newTrace();
  const item = (n: number, token = device.token) => ({
    tenant_id: 'acme',
    device_id: 'd1',
    provision_token: token,
    site_id: 's1',
    metrics: { n },
  });
  const response = await fetch(`${stack.httpUrl}/ingest/v1/batch`, {
    method: 'POST',
    headers: { traceparent: `00-${traceId}-${parent}-01` },
    body: JSON.stringify({ messages: [item(1), item(2), { ...item(3), msg_type: 'bad' }] }),
  });
  expect(await response.json()).toMatchObject({ accepted: 2, rejected: 1 });
  const doors = (await spansOf(traceId, 8)).filter(({ name }) => name === 'door.accept');
  expect(doors.map(({ parentSpanId, attributes }) => [parentSpanId, attributes['tributary.source']])).toEqual(
    [
      [parent, 'batch'],
      [parent, 'batch'],
    ],
  );
});

test('over MQTT a share of the messages is followed, and a bridge takes the context from MQTT 5', async () => {
  const env = { ...stack.env, TRIBUTARY_TRACE_RATIO: '1' };
  await using broker = await startMosquitto();
  const bridgeEnv = { TRIBUTARY_BRIDGE_URL: broker.url, TRIBUTARY_BRIDGE_CLIENT_ID: 'traced' };
  const [listener, bridge] = await Promise.all([
    startRole('mqtt', env),
    startRole('mqtt-bridge', { ...stack.env, ...bridgeEnv }),
  ]);
  try {
    await until(() => bridge.log().includes('"event":"mqtt_bridge_subscribed"'), {
      what: 'it is subscribed',
    });
    const body = JSON.stringify({ site_id: 's1', provision_token: device.token, metrics: { n: 5 } });
    const topic = 'tenant/acme/device/d1/telemetry';
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${listener.port}`);
    await client.publishAsync(topic, body, { qos: 1 });
    await client.endAsync();
    const door = await until(
      () => collector.spans.find(({ attributes }) => attributes['tributary.source'] === 'mqtt'),
      { what: 'the door’s span' },
    );
    expect(door.parentSpanId).toBeUndefined();
    expect(await spansOf(door.traceId, 4)).toHaveLength(4);

    const traceId = newTrace();
    const device5 = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    const userProperties = { traceparent: `00-${traceId}-${parent}-01` };
    await device5.publishAsync(topic, body, { qos: 1, properties: { userProperties } });
    await device5.endAsync();
    const spans = await spansOf(traceId, 4);
    expect(named(spans, 'door.accept')).toMatchObject({
      parentSpanId: parent,
      attributes: { 'tributary.source': 'mqtt-bridge' },
    });
  } finally {
    await Promise.all([listener.stop(), bridge.stop()]);
  }
});

test('with a dead collector everything goes on, and it stops in order', async () => {
  await collector.stop();
  const traceId = newTrace();
  const body = { site_id: 's1', metrics: { dead: 1 } };
  for (let n = 0; n < 20; n += 1) expect((await send(`00-${traceId}-${parent}-01`, body)).status).toBe(202);
  await until(
    async () => {
      const { rows } = await stack.pool.query(`select 1 from telemetry where metrics ? 'dead'`);
      return rows.length === 20;
    },
    { what: 'all are stored' },
  );
  expect(await stack.role('gateway').stop()).toBe(0);
  expect(await stack.role('worker').stop()).toBe(0);
  expect(stack.role('worker').log()).toContain('traces_not_exported');
});
