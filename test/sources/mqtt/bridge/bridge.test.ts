import { describe, expect, test } from 'bun:test';
import { generate, type Packet } from 'mqtt-packet';
import { until } from '../../../harness/until.ts';
import { away, startBridged, stored } from './bridged.ts';
import { type BridgeConnection, startScriptedBroker } from './scripted-broker.ts';

const topic = 'tenant/t1/device/d1/telemetry';

function publish(messageId: number, payload = '{"n":1}', more: Partial<Packet> = {}): Packet {
  return { cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain: false, ...more } as Packet;
}

function pubacks({ received }: BridgeConnection): (number | undefined)[] {
  return received.filter(({ cmd }) => cmd === 'puback').map(({ messageId }) => messageId);
}

describe('PUBACK', () => {
  test('goes out after JetStream has the message, and no byte of it before', async () => {
    await using broker = await startScriptedBroker();
    await using bridged = startBridged(broker);
    const connection = await broker.subscribed(0);
    connection.send(publish(7));
    await until(() => bridged.intake.messages.length === 1, { what: 'the message is offered' });
    connection.send(publish(8));
    await until(() => bridged.intake.messages.length === 2, { what: 'the next is offered meanwhile' });
    expect([...connection.bytes()]).toEqual([]);
    bridged.intake.answer(0);
    await until(() => connection.bytes().length > 0, { what: 'the PUBACK came' });
    expect([...connection.bytes()]).toEqual([0x40, 2, 0, 7]);
  });

  test('PUBACKs go out in the order of the publishes, whatever JetStream answers first', async () => {
    await using broker = await startScriptedBroker();
    await using bridged = startBridged(broker);
    const connection = await broker.subscribed(0);
    for (const id of [3, 1, 2]) connection.send(publish(id));
    await until(() => bridged.intake.messages.length === 3, { what: 'all are offered' });
    bridged.intake.answer(2);
    bridged.intake.answer(1);
    await Bun.sleep(0);
    expect(pubacks(connection)).toEqual([]);
    bridged.intake.answer(0);
    await until(() => pubacks(connection).length === 3, { what: 'all are acknowledged' });
    expect(pubacks(connection)).toEqual([3, 1, 2]);
  });

  test('what JetStream refuses is tried again as the same message, and acknowledged when it is taken', async () => {
    await using broker = await startScriptedBroker();
    await using bridged = startBridged(broker);
    const connection = await broker.subscribed(0);
    connection.send(publish(1));
    for (let tries = 1; tries <= 3; tries += 1) {
      await until(() => bridged.intake.messages.length === tries, { what: `try ${tries}` });
      expect(pubacks(connection)).toEqual([]);
      bridged.intake.answer(tries - 1, tries < 3 ? away : stored);
    }
    await until(() => pubacks(connection).length === 1, { what: 'it is acknowledged' });
    const [first, ...later] = bridged.intake.messages;
    expect(first?.firstTry?.identity).toHaveLength(16);
    for (const each of later) expect(each.firstTry).toEqual(first?.firstTry as never);
    const events = bridged.logged.map(({ event }) => event);
    expect(events.filter((event) => event === 'mqtt_bridge_holding')).toHaveLength(1);
    await until(() => bridged.logged.some(({ event }) => event === 'mqtt_bridge_flowing'), { what: 'said' });
    expect(bridged.bridge.held).toBe(0);
  });

  test.each([
    ['tenant/t1/device/d1/status', 'bad_topic'],
    ['tenant/_t1/device/d1/telemetry', 'bad_topic'],
    ['elsewhere', 'bad_topic'],
  ])('%s can never be ingested: acknowledged, counted, and named in the log', async (wrong, outcome) => {
    await using broker = await startScriptedBroker();
    await using bridged = startBridged(broker);
    const connection = await broker.subscribed(0);
    connection.send(publish(1, '{}', { topic: wrong } as never));
    await until(() => pubacks(connection).length === 1, { what: 'it is acknowledged' });
    expect(bridged.intake.messages).toEqual([]);
    expect(bridged.counts.settled).toEqual([`1 ${outcome}`]);
    expect(bridged.logged).toContainEqual(
      expect.objectContaining({ event: 'mqtt_bridge_dropped', topic: wrong }),
    );
  });

  test.each(['too_large', 'unknown_tenant_limit'] as const)(
    'what intake refuses as %s is acknowledged and counted',
    async (refusal) => {
      await using broker = await startScriptedBroker();
      await using bridged = startBridged(broker);
      bridged.intake.always = { ok: false, refusal };
      const connection = await broker.subscribed(0);
      connection.send(publish(1));
      await until(() => pubacks(connection).length === 1, { what: 'it is acknowledged' });
      expect(bridged.counts.settled).toEqual([`1 ${refusal}`]);
    },
  );
});

describe('a connection that is lost', () => {
  const present = { connack: () => ({ sessionPresent: true }) };

  test('what comes again while it is in hand is not published again, and is acknowledged where it came again', async () => {
    await using broker = await startScriptedBroker(present);
    await using bridged = startBridged(broker);
    const first = await broker.subscribed(0);
    first.send(publish(5));
    await until(() => bridged.intake.messages.length === 1, { what: 'it is offered' });
    first.drop();
    const second = await broker.subscribed(1);
    second.send(publish(5, '{"n":1}', { dup: true } as never));
    await until(() => bridged.counts.redelivered.length === 1, { what: 'it came again' });
    bridged.intake.answer(0);
    await until(() => pubacks(second).length === 1, { what: 'it is acknowledged' });
    expect(bridged.counts.redelivered).toEqual([true]);
    expect(bridged.intake.messages).toHaveLength(1);
  });

  test.each([
    ['its PUBACK was written', true, '{"n":1}', true],
    ['other bytes come under its packet id', false, '{"n":2}', true],
    ['the broker does not mark it as sent again', false, '{"n":1}', false],
  ])('it is another message where %s', async (_why, acknowledged, payload, dup) => {
    await using broker = await startScriptedBroker(present);
    await using bridged = startBridged(broker);
    const first = await broker.subscribed(0);
    first.send(publish(5));
    await until(() => bridged.intake.messages.length === 1, { what: 'it is offered' });
    if (acknowledged) {
      bridged.intake.answer(0);
      await until(() => pubacks(first).length === 1, { what: 'it is acknowledged' });
    }
    first.drop();
    const second = await broker.subscribed(1);
    second.send(publish(5, payload, { dup } as never));
    await until(() => bridged.intake.messages.length === 2, {
      what: 'it is offered as a message of its own',
    });
  });

  test('a session that the broker has forgotten is told of, and its packet ids mean nothing any more', async () => {
    await using broker = await startScriptedBroker({ connack: (index) => ({ sessionPresent: index === 1 }) });
    await using bridged = startBridged(broker);
    const first = await broker.subscribed(0);
    first.drop();
    const second = await broker.subscribed(1);
    second.send(publish(5));
    await until(() => bridged.intake.messages.length === 1, { what: 'it is offered' });
    expect(bridged.counts.sessionsLost).toBe(0);
    second.drop();
    const third = await broker.subscribed(2);
    expect(bridged.counts.sessionsLost).toBe(1);
    third.send(publish(5, '{"n":1}', { dup: true } as never));
    await until(() => bridged.intake.messages.length === 2, { what: 'it is offered again' });
  });
});

describe('bounds', () => {
  test('a flood at QoS 0 that nothing takes stays with the broker', async () => {
    await using broker = await startScriptedBroker();
    await using _bridged = startBridged(broker, { maxInFlight: 100 });
    const connection = await broker.subscribed(0);
    const flood = generate(
      { cmd: 'publish', topic, payload: 'x'.repeat(1_000), qos: 0, dup: false, retain: false } as never,
      {
        protocolVersion: 5,
      },
    );
    const megabyte = Buffer.concat(Array.from({ length: 1_000 }, () => flood));
    for (let written = 0; written < 40; written += 1) connection.sendBytes(megabyte);
    let before = 0;
    const unsent = await until(
      async () => {
        before = connection.unsent();
        await Bun.sleep(1_000);
        return connection.unsent() === before && before;
      },
      { what: 'the bridge reads no more' },
    );
    expect(unsent).toBeGreaterThan(20 * megabyte.length);
  });

  test('a message that meets a fault of ours does not hold up the others', async () => {
    await using broker = await startScriptedBroker();
    const faulty = {
      accept: (message: { payloadText: string }) =>
        message.payloadText.includes('bad') ? Promise.reject(new Error('a bug')) : Promise.resolve(stored),
    };
    await using bridged = startBridged(broker, { intake: faulty });
    const connection = await broker.subscribed(0);
    connection.send(publish(1, '{"bad":true}'));
    connection.send(publish(2));
    await until(() => pubacks(connection).length === 2, { what: 'both are acknowledged' });
    expect(bridged.counts.settled).toEqual(['1 refused', '1 accepted']);
    expect(bridged.logged.map(({ event }) => event)).toContain('mqtt_bridge_failed');
  });

  test('beyond what may be under way nothing is read, and a PUBACK lets the next in', async () => {
    await using broker = await startScriptedBroker();
    await using bridged = startBridged(broker, { maxInFlight: 3 });
    const connection = await broker.subscribed(0);
    for (let id = 1; id <= 5; id += 1) connection.send(publish(id));
    await until(() => bridged.intake.messages.length === 3, { what: 'as many as may be are offered' });
    await Bun.sleep(0);
    expect(bridged.intake.messages).toHaveLength(3);
    for (let answered = 0; answered < 5; answered += 1) {
      await until(() => bridged.intake.messages.length > answered, {
        what: `message ${answered} is offered`,
      });
      bridged.intake.answer(answered);
    }
    await until(() => pubacks(connection).length === 5, { what: 'all are acknowledged' });
  });
});

describe('CONNECT and SUBSCRIBE', () => {
  test('ask for a session that outlives the connection, and for a share of the messages', async () => {
    await using broker = await startScriptedBroker();
    await using _bridged = startBridged({ url: broker.url, username: 'u', password: 'p' });
    const { received } = await broker.subscribed(0);
    expect(received[0]).toMatchObject({
      clientId: 'b-1',
      clean: false,
      username: 'u',
      password: Buffer.from('p'),
      properties: { sessionExpiryInterval: 3_600, receiveMaximum: 10 },
    });
    expect(received[1]).toMatchObject({
      subscriptions: [{ topic: '$share/tributary/tenant/+/device/+/+', qos: 1, rh: 2 }],
    });
  });

  test('a broker that keeps the session for a shorter time is told of', async () => {
    const connack = () => ({ properties: { sessionExpiryInterval: 60 } });
    await using broker = await startScriptedBroker({ connack });
    await using bridged = startBridged(broker);
    await broker.subscribed(0);
    const shorter = { event: 'mqtt_bridge_session_shorter', keptForSeconds: 60 };
    expect(bridged.logged).toContainEqual(expect.objectContaining(shorter));
  });

  test('a broker that says nothing any more is left, and called again', async () => {
    await using broker = await startScriptedBroker({ mute: true });
    const tuning = { keepAliveSeconds: 1, reconnectBaseMs: 10, reconnectMaxMs: 20 };
    await using bridged = startBridged(broker, { tuning });
    const connection = await broker.subscribed(0);
    await broker.subscribed(1);
    expect(connection.received.filter(({ cmd }) => cmd === 'pingreq').length).toBeGreaterThan(1);
    expect(bridged.logged.some(({ error }) => String(error).startsWith('nothing heard of the broker'))).toBe(
      true,
    );
  });

  test('MQTT 3.1.1 without a group is an ordinary subscription; what the broker kept from before is dropped', async () => {
    await using broker = await startScriptedBroker({ version: 4 });
    await using bridged = startBridged({ url: broker.url, version: '3.1.1', group: undefined });
    const connection = await broker.subscribed(0);
    expect(connection.received[0]).toMatchObject({ protocolVersion: 4, clean: false });
    expect(connection.received[1]).toMatchObject({
      subscriptions: [{ topic: 'tenant/+/device/+/+', qos: 1 }],
    });
    connection.send(publish(1, '{}', { retain: true } as never));
    await until(() => pubacks(connection).length === 1, { what: 'it is acknowledged' });
    expect(bridged.counts.settled).toEqual(['1 retained']);
  });

  test.each([
    ['wrong credentials', { connack: () => ({ reasonCode: 134 }) }, 'see TRIBUTARY_BRIDGE_USERNAME'],
    [
      'no shared subscriptions',
      { connack: () => ({ properties: { sharedSubscriptionAvailable: false } }) },
      'TRIBUTARY_BRIDGE_SHARED=no',
    ],
    ['a subscription refused', { granted: 135 }, 'refuses it with 135'],
    ['QoS 0 only', { granted: 0 }, 'grants QoS 0 only'],
  ])('%s: why it is away is said, and it tries again', async (_name, script, why) => {
    await using broker = await startScriptedBroker(script);
    await using bridged = startBridged(broker);
    await until(() => broker.connections.length >= 3, { what: 'it tries again' });
    expect(bridged.bridge.whyAway()).toContain(why);
    expect(bridged.logged.filter(({ event }) => event === 'mqtt_bridge_away')).toHaveLength(1);
    expect(bridged.counts.subscribed).toBe(0);
  });

  test('somebody else under the same client id is named', async () => {
    await using broker = await startScriptedBroker();
    await using bridged = startBridged(broker);
    const connection = await broker.subscribed(0);
    connection.send({ cmd: 'disconnect', reasonCode: 142 });
    await until(() => connection.closed, { what: 'the connection ended' });
    const said = bridged.logged.find(({ event }) => event === 'mqtt_bridge_away');
    expect(said?.error).toContain('give every bridge process a TRIBUTARY_BRIDGE_CLIENT_ID of its own');
  });

  test('bytes that are not MQTT end the connection, not the bridge', async () => {
    await using broker = await startScriptedBroker();
    await using _bridged = startBridged(broker);
    const connection = await broker.subscribed(0);
    connection.sendBytes(Buffer.from([0x36, 0xff, 0xff, 0xff, 0xff, 0xff]));
    await broker.subscribed(1);
    expect(connection.closed).toBe(true);
  });
});

describe('retire', () => {
  test('unsubscribes, takes what waits, and ends the session when nothing comes any more', async () => {
    await using broker = await startScriptedBroker({ connack: () => ({ sessionPresent: true }) });
    const tuning = { quietMs: 100, drainTimeoutMs: 500 };
    await using bridged = startBridged(broker, { retire: true, tuning });
    const connection = await until(() => broker.connections[0], { what: 'it connects' });
    await until(() => connection.received.length === 2, { what: 'it unsubscribes' });
    expect(connection.received[1]).toMatchObject({
      cmd: 'unsubscribe',
      unsubscriptions: ['$share/tributary/tenant/+/device/+/+'],
    });
    connection.send(publish(1));
    await until(() => bridged.intake.messages.length === 1, { what: 'it is offered' });
    let retired = false;
    void bridged.bridge.retired.then(() => {
      retired = true;
    });
    // Longer than it would be quiet.
    await Bun.sleep(2 * tuning.quietMs);
    expect(retired).toBe(false);
    bridged.intake.answer(0);
    await bridged.bridge.retired;
    await until(() => connection.closed, { what: 'it left' });
    expect(connection.received.slice(2)).toMatchObject([
      { cmd: 'puback', messageId: 1 },
      { cmd: 'disconnect', properties: { sessionExpiryInterval: 0 } },
    ]);
  });
});

describe('drain', () => {
  test('acknowledges what is under way, then takes leave', async () => {
    await using broker = await startScriptedBroker();
    const bridged = startBridged(broker);
    const connection = await broker.subscribed(0);
    connection.send(publish(1));
    await until(() => bridged.intake.messages.length === 1, { what: 'it is offered' });
    const drained = bridged.bridge.drain();
    bridged.intake.answer(0);
    await drained;
    await until(() => connection.closed, { what: 'it left' });
    expect(connection.received.slice(-2)).toMatchObject([
      { cmd: 'puback', messageId: 1 },
      { cmd: 'disconnect' },
    ]);
  });

  test('what JetStream does not take is given up, unacknowledged, and so is what came behind it', async () => {
    await using broker = await startScriptedBroker();
    const bridged = startBridged(broker);
    const connection = await broker.subscribed(0);
    connection.send(publish(1));
    connection.send(publish(2));
    await until(() => bridged.intake.messages.length === 2, { what: 'both are offered' });
    bridged.intake.answer(1);
    const drained = bridged.bridge.drain();
    bridged.intake.answer(0, away);
    await drained;
    await until(() => connection.closed, { what: 'it left' });
    expect(pubacks(connection)).toEqual([]);
  });
});
