import { describe, expect, test } from 'bun:test';
import { until } from '../../harness/until.ts';
import { asD1, startListener, stored, topicOfD1 } from './listener.ts';

const reading = '{"site_id":"s1","metrics":{"temp":22}}';

async function mosquittoPub(port: number, args: string[], lines?: string): Promise<number> {
  const command = ['mosquitto_pub', '-h', '127.0.0.1', '-p', String(port), '-t', topicOfD1, ...args];
  const stdin = lines === undefined ? 'ignore' : new Blob([lines]);
  return await Bun.spawn(command, { stdin, stdout: 'ignore', stderr: 'ignore' }).exited;
}

describe('mosquitto_pub', () => {
  test.each(['0', '1', '2'])('publishes at QoS %s with credentials', async (qos) => {
    await using listener = await startListener({ answer: () => stored });
    const args = ['-q', qos, '-u', 't1/d1', '-P', 'secret', '-m', reading];
    expect(await mosquittoPub(listener.port, args)).toBe(0);
    await until(() => listener.intake.messages.length === 1, { what: 'the message came in' });
    expect(listener.intake.messages[0]).toMatchObject({
      source: 'mqtt',
      tenantId: 't1',
      deviceId: 'd1',
      msgType: 'telemetry',
      username: 't1/d1',
      token: 'secret',
      payloadText: `{"provision_token":"secret",${reading.slice(1)}`,
    });
  });

  test('publishes without credentials, the token in the payload', async () => {
    await using listener = await startListener({ answer: () => stored });
    const payload = '{"provision_token":"tok","metrics":{"big":12345678901234567890}}';
    expect(await mosquittoPub(listener.port, ['-q', '1', '-m', payload])).toBe(0);
    expect(listener.intake.messages[0]).toMatchObject({ username: '', token: 'tok', payloadText: payload });
  });

  test('sends 2,000 messages at QoS 0 and disconnects at once: all come in, though few fit at a time', async () => {
    await using listener = await startListener({ answer: () => stored, maxInFlight: 8 });
    const lines = Array.from({ length: 2_000 }, (_, n) => `{"n":${n}}\n`).join('');
    expect(await mosquittoPub(listener.port, ['-l'], lines)).toBe(0);
    await until(() => listener.intake.messages.length === 2_000, { what: 'all came in' });
  });
});

describe('MQTT.js', () => {
  test.each([0, 1, 2] as const)('publishes 500 at QoS %i, pipelined, in order', async (qos) => {
    await using listener = await startListener({ answer: () => stored });
    const client = await listener.client(asD1);
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    await Promise.all(numbers.map((n) => client.publishAsync(topicOfD1, `{"n":${n}}`, { qos })));
    await until(() => listener.intake.messages.length === 500, { what: 'all came in' });
    expect(listener.intake.messages.map((message) => message.payload.n)).toEqual(numbers);
  });

  test('200 clients at once publish 10 messages each', async () => {
    await using listener = await startListener({ answer: () => stored });
    const clients = await Promise.all(Array.from({ length: 200 }, () => listener.client(asD1)));
    const ten = Array.from({ length: 10 });
    await Promise.all(
      clients.flatMap((client) => ten.map(() => client.publishAsync(topicOfD1, reading, { qos: 1 }))),
    );
    expect(listener.intake.messages.length).toBe(2_000);
    expect(listener.metrics.connections).toBe(200);
    await Promise.all(clients.map((client) => client.endAsync()));
    await until(() => listener.metrics.connections === 0, { what: 'every connection is forgotten' });
  });
});

describe('retained messages and wills', () => {
  test('a retained message is ingested, and neither kept nor delivered', async () => {
    await using listener = await startListener({ answer: () => stored });
    const client = await listener.client(asD1);
    await client.publishAsync(topicOfD1, reading, { qos: 1, retain: true });
    expect(listener.intake.messages.length).toBe(1);
    const received: string[] = [];
    client.on('message', (topic) => received.push(topic));
    await client.subscribeAsync('tenant/t1/device/d1/#', { qos: 1 });
    await client.publishAsync(topicOfD1, reading, { qos: 1 });
    await client.unsubscribeAsync('tenant/t1/device/d1/#');
    expect(received).toEqual([]);
  });

  test('a will is ingested when the connection is lost', async () => {
    await using listener = await startListener({ answer: () => stored });
    const client = await listener.client({
      ...asD1,
      will: { topic: topicOfD1, payload: Buffer.from('{"down":true}'), qos: 1, retain: true },
    });
    client.stream.destroy();
    await until(() => listener.metrics.counts.get('will accepted') === 1, { what: 'the will came in' });
    expect(listener.intake.messages[0]?.payloadText).toBe('{"provision_token":"secret","down":true}');
  });

  test('a will is forgotten at DISCONNECT', async () => {
    await using listener = await startListener({ answer: () => stored });
    const client = await listener.client({
      ...asD1,
      will: { topic: topicOfD1, payload: Buffer.from('{"down":true}'), qos: 1, retain: false },
    });
    await client.endAsync();
    await until(() => listener.metrics.connections === 0, { what: 'the connection is forgotten' });
    expect(listener.intake.messages).toEqual([]);
  });

  test.each(['tenant/t1/device/d2/telemetry', 'somewhere/else'])(
    'a will on %s is refused at CONNECT',
    async (topic) => {
      await using listener = await startListener();
      const attempt = listener.client({
        ...asD1,
        will: { topic, payload: Buffer.from('{}'), qos: 0, retain: false },
      });
      await expect(attempt).rejects.toThrow('Not authorized');
      expect(listener.metrics.counts.get('will_topic')).toBe(1);
    },
  );
});
