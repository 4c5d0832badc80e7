import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { connect } from '@nats-io/transport-node';
import mqtt, { type IClientOptions } from 'mqtt';
import pino from 'pino';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import { hashToken } from '../../src/model/token.ts';
import { startMqtt } from '../../src/roles/mqtt.ts';
import { addDevice } from '../../src/store/registry/add-device.ts';
import { addTenant } from '../../src/store/registry/add-tenant.ts';
import { revokeDevice } from '../../src/store/registry/revoke-device.ts';
import { rolesStatusSubject, streamName } from '../../src/stream/subjects.ts';
import { startTestNats } from '../harness/nats.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { until } from '../harness/until.ts';
import { freeze } from '../stream/stream-fixture.ts';

setDefaultTimeout(40_000);

/** Nobody listens there. */
const noDatabase = 'postgres://nobody@127.0.0.1:1/none';
const t1 = 't1' as TenantId;
const d1 = 'd1' as DeviceId;
const topic = 'tenant/t1/device/d1/telemetry';

async function start(environment: Record<string, string>) {
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const config = parseConfig({ DATABASE_URL: noDatabase, TRIBUTARY_MQTT_PORT: '0', ...environment });
  const listener = await startMqtt(config, { log });
  const clients: mqtt.MqttClient[] = [];
  return {
    ...listener,
    logged,
    client: async (options: IClientOptions = {}) => {
      const url = `mqtt://127.0.0.1:${listener.port}`;
      const client = await mqtt.connectAsync(url, { reconnectPeriod: 100, ...options });
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.end(true);
      await listener.drain();
    },
  };
}

/** Everything in TELEMETRY, read without consuming it. */
async function stored(natsUrl: string): Promise<Record<string, unknown>[]> {
  const nc = await connect({ servers: natsUrl });
  const envelopes = [];
  for (let seq = 1; ; seq++) {
    const answer = await nc.request(`$JS.API.STREAM.MSG.GET.${streamName}`, JSON.stringify({ seq }));
    const { message } = answer.json<{ message?: { data: string } }>();
    if (message === undefined) break;
    envelopes.push(JSON.parse(Buffer.from(message.data, 'base64').toString()));
  }
  await nc.close();
  return envelopes;
}

describe('with NATS, while PostgreSQL is away', () => {
  test('what is acknowledged lies in the stream, as the envelope says', async () => {
    await using nats = await startTestNats();
    await using listener = await start({ NATS_URL: nats.url });
    const device = await listener.client({ username: 't1/d1', password: 'tok' });
    await device.publishAsync(topic, '{"metrics":{"temp":22}}', { qos: 1 });
    const stranger = await listener.client();
    await stranger.publishAsync(topic, '{"provision_token":"other"}', { qos: 2, retain: true });
    await stranger.publishAsync(topic, Buffer.from([0xff]), { qos: 1 });
    await stranger.publishAsync(topic, '{"__proto__":1}', { qos: 0 });
    const head = { topic, tenant_id: 't1', device_id: 'd1', msg_type: 'telemetry', ts: expect.any(Number) };
    const envelopes = await until(
      async () => {
        const found = await stored(nats.url);
        return found.length === 4 && found;
      },
      { what: 'four messages in the stream' },
    );
    expect(envelopes).toEqual([
      { ...head, username: 't1/d1', payload: { provision_token: 'tok', metrics: { temp: 22 } } },
      { ...head, username: '', payload: { provision_token: 'other' } },
      { ...head, username: '', payload: null, payload_b64: '/w==' },
      { ...head, username: '', payload: '{"__proto__":1}' },
    ]);
    expect(listener.logged.join()).not.toContain('"tok"');
  });

  test('no PUBACK while NATS stands still; PUBACK when it goes on', async () => {
    await using nats = await startTestNats();
    await using listener = await start({ NATS_URL: nats.url, TRIBUTARY_PUBLISH_TIMEOUT_MS: '30000' });
    const client = await listener.client({ username: 't1/d1', password: 'tok' });
    await client.publishAsync(topic, '{"n":1}', { qos: 1 });
    await freeze(nats.pid());
    let acknowledged = false;
    const published = client.publishAsync(topic, '{"n":2}', { qos: 1 }).then(() => {
      acknowledged = true;
    });
    // The listener has had its turns: it has answered others in the meantime.
    for (let others = 0; others < 5; others++) await listener.client();
    expect(acknowledged).toBe(false);
    process.kill(nats.pid(), 'SIGCONT');
    await published;
    expect(await stored(nats.url)).toHaveLength(2);
  });

  test('NATS killed: no PUBACK and the connection is closed; back again: what is resent is acknowledged', async () => {
    await using nats = await startTestNats();
    await using listener = await start({ NATS_URL: nats.url });
    const client = await listener.client({ username: 't1/d1', password: 'tok' });
    await client.publishAsync(topic, '{"msg_id":"m1"}', { qos: 1 });
    await nats.kill();
    let closed = 0;
    client.on('close', () => closed++);
    let acknowledged = false;
    const published = client.publishAsync(topic, '{"msg_id":"m2"}', { qos: 1 }).then(() => {
      acknowledged = true;
    });
    await until(() => closed > 0, { what: 'the connection is closed', timeoutMs: 15_000 });
    expect(acknowledged).toBe(false);
    await nats.start();
    await published;
    const ids = (await stored(nats.url)).map((envelope) => (envelope.payload as { msg_id: string }).msg_id);
    expect(ids).toEqual(['m1', 'm2']);
  });

  test('its status says how many connections are open', async () => {
    await using nats = await startTestNats();
    await using listener = await start({ NATS_URL: nats.url });
    await listener.client();
    await listener.client();
    const nc = await connect({ servers: nats.url });
    const status = await nc.request(rolesStatusSubject);
    await nc.close();
    expect(status.json()).toMatchObject({ role: 'mqtt', inFlight: 0, connections: 2 });
  });

  test('a listener that started before NATS acknowledges once it is there', async () => {
    await using nats = await startTestNats();
    await nats.stop();
    await using listener = await start({ NATS_URL: nats.url });
    const client = await listener.client();
    const published = client.publishAsync(topic, '{}', { qos: 1 });
    await nats.start();
    await published;
    expect(await stored(nats.url)).toHaveLength(1);
  });

  test('a message sent again under its msg_id, over another connection, is stored once', async () => {
    await using nats = await startTestNats();
    await using listener = await start({ NATS_URL: nats.url });
    for (let round = 0; round < 2; round++) {
      const client = await listener.client({ username: 't1/d1', password: 'tok' });
      await client.publishAsync(topic, '{"msg_id":"m1","a":1}', { qos: 1 });
    }
    expect(await stored(nats.url)).toHaveLength(1);
  });
});

describe('with the registry', () => {
  test('tokens are checked, a new device is let in, and a revoked one is cut off', async () => {
    await using nats = await startTestNats();
    await using database = await createTestDatabase();
    await addTenant(database.pool, t1);
    const device = { siteId: 's1', tokenSha256: hashToken('secret') };
    await addDevice(database.pool, t1, { deviceId: d1, ...device });
    await using listener = await start({ NATS_URL: nats.url, DATABASE_URL: database.url });
    const client = await listener.client({ username: 't1/d1', password: 'secret', reconnectPeriod: 0 });
    await client.publishAsync(topic, '{}', { qos: 1 });
    await client.subscribeAsync('tenant/t1/device/d1/#');
    const wrong = listener.client({ username: 't1/d1', password: 'wrong' });
    await expect(wrong).rejects.toThrow('Bad username or password');
    await addDevice(database.pool, t1, { deviceId: 'd2' as DeviceId, ...device });
    await listener.client({ username: 't1/d2', password: 'secret' });
    await revokeDevice(database.pool, t1, d1);
    await until(
      () => {
        if (client.connected) client.publish(topic, '{}', { qos: 0 });
        return !client.connected;
      },
      { what: 'the revoked device is cut off', timeoutMs: 2_000 },
    );
    const again = listener.client({ username: 't1/d1', password: 'secret' });
    await expect(again).rejects.toThrow('Not authorized');
  });
});

test('a taken port is one sentence', async () => {
  await using nats = await startTestNats();
  await using listener = await start({ NATS_URL: nats.url });
  const second = start({ NATS_URL: nats.url, TRIBUTARY_MQTT_PORT: String(listener.port) });
  await expect(second).rejects.toThrow(
    `Port ${listener.port} on 127.0.0.1 is taken: stop what listens there, or set TRIBUTARY_MQTT_PORT.`,
  );
});
