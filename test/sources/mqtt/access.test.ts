import { describe, expect, test } from 'bun:test';
import { hashToken } from '../../../src/model/token.ts';
import { until } from '../../harness/until.ts';
import { asD1, startListener, stored, topicOfD1, unavailable } from './listener.ts';
import { connectPacket, publishPacket, subscribePacket } from './raw-client.ts';

const badCredentials = [0x20, 2, 0, 4];
const notAuthorized = [0x20, 2, 0, 5];
const accepted = [0x20, 2, 0, 0];

describe('CONNECT', () => {
  test.each([
    ['wrong token', { username: 't1/d1', password: 'wrong' }],
    ['another device’s token', { username: 't1/d1', password: 'other' }],
    ['unknown device', { username: 't1/d9', password: 'secret' }],
    ['unknown tenant', { username: 't9/d1', password: 'secret' }],
    ['no password', { username: 't1/d1' }],
    ['empty password', { username: 't1/d1', password: '' }],
    ['a password that is not UTF-8', { username: 't1/d1', password: Buffer.from([0xff, 0xfe]) }],
    ['a user name of another form', { username: 'somebody', password: 'secret' }],
    ['a user name with more to it', { username: 't1/d1/x', password: 'secret' }],
    ['an identifier that is not allowed', { username: '_sys/d1', password: 'secret' }],
  ])('%s is refused with return code 4', async (_name, credentials) => {
    await using listener = await startListener();
    const raw = listener.raw();
    raw.send(connectPacket(credentials));
    await raw.expect(badCredentials);
    await raw.untilClosed();
    expect(listener.metrics.counts.get('bad_credentials')).toBe(1);
  });

  test('a revoked device is refused with return code 5', async () => {
    await using listener = await startListener();
    listener.registry.add('t1', 'd3', 'revoked', { revoked: true });
    const raw = listener.raw();
    raw.send(connectPacket({ username: 't1/d3', password: 'revoked' }));
    await raw.expect(notAuthorized);
    await raw.untilClosed();
    expect(listener.metrics.counts.get('device_revoked')).toBe(1);
  });

  test('the token before a rotation is good until its grace ends', async () => {
    const now = 1_000_000;
    await using listener = await startListener({ clock: () => now });
    const previous = { previousTokenSha256: hashToken('old') };
    listener.registry.add('t1', 'd3', 'new', { ...previous, previousTokenUntilMs: now + 1 });
    listener.registry.add('t1', 'd4', 'new', { ...previous, previousTokenUntilMs: now });
    await listener.raw().connected(connectPacket({ username: 't1/d3', password: 'old' }));
    await listener.raw().connected(connectPacket({ username: 't1/d3', password: 'new' }));
    const late = listener.raw();
    late.send(connectPacket({ username: 't1/d4', password: 'old' }));
    await late.expect(badCredentials);
  });

  test('a device that the cache learns of a moment later is let in', async () => {
    await using listener = await startListener({ limits: { secondLookMs: 200 } });
    const raw = listener.raw();
    raw.send(connectPacket({ username: 't1/new', password: 'fresh' }));
    await until(() => listener.metrics.connections === 1, { what: 'the connection is there' });
    listener.registry.add('t1', 'new', 'fresh');
    await raw.expect(accepted);
  });

  test('without credentials: accepted where the setting allows it, else return code 5', async () => {
    await using open = await startListener();
    await open.raw().connected();
    await using strict = await startListener({ allowAnonymous: false });
    const raw = strict.raw();
    raw.send(connectPacket({}));
    await raw.expect(notAuthorized);
    await raw.untilClosed();
  });

  test('while the registry is not fresh everybody is accepted, and nobody may subscribe', async () => {
    await using listener = await startListener({ answer: () => stored });
    listener.registry.fresh = false;
    const raw = listener.raw();
    await raw.connected(connectPacket({ username: 't1/d1', password: 'wrong' }));
    raw.send(publishPacket(topicOfD1, '{}', 1, 5));
    await raw.expect([0x40, 2, 0, 5]);
    expect(listener.intake.messages[0]?.payloadText).toBe('{"provision_token":"wrong"}');
    const proven = listener.raw();
    await proven.connected(connectPacket({ username: 't1/d1', password: 'secret' }));
    proven.send(subscribePacket('tenant/t1/device/d1/#'));
    await proven.expect([0x90, 3, 0, 1, 0x80]);
  });

  test('what comes behind CONNECT waits until CONNECT is judged', async () => {
    await using listener = await startListener({ answer: () => stored, limits: { secondLookMs: 200 } });
    const raw = listener.raw();
    raw.socket.setNoDelay(true);
    raw.send(connectPacket({ username: 't1/new', password: 'fresh' }));
    const ids = Array.from({ length: 100 }, (_, n) => n + 1);
    for (const id of ids) {
      raw.send(publishPacket('tenant/t1/device/new/telemetry', '{}', 1, id));
      await new Promise((resolve) => setImmediate(resolve));
    }
    listener.registry.add('t1', 'new', 'fresh');
    await raw.expect([...accepted, ...ids.flatMap((id) => [0x40, 2, 0, id])]);
  });

  test.each([
    ['MQTT 5', connectPacket({ level: 5 })],
    ['a bridge’s protocol level', connectPacket({ level: 0x84 })],
  ])('%s is refused with return code 1', async (_name, packet) => {
    await using listener = await startListener();
    const raw = listener.raw();
    raw.send(packet);
    await raw.expect([0x20, 2, 0, 1]);
    await raw.untilClosed();
    expect(listener.metrics.counts.get('protocol_version')).toBe(1);
  });

  test('MQTT 3.1 is accepted', async () => {
    await using listener = await startListener();
    await listener.raw().connected(connectPacket({ protocol: 'MQIsdp', level: 3 }));
  });

  test.each([
    ['NUL', connectPacket({ clientId: 'a\0b' })],
    ['no UTF-8', connectPacket({ clientId: 'a\ufffdb' })],
    ['empty without a clean session', connectPacket({ clientId: '', flags: 0 })],
  ])('a client id that is %s is refused with return code 2', async (_name, packet) => {
    await using listener = await startListener();
    const raw = listener.raw();
    raw.send(packet);
    await raw.expect([0x20, 2, 0, 2]);
    await raw.untilClosed();
    expect(listener.metrics.counts.get('client_id')).toBe(1);
  });
});

describe('client ids', () => {
  test('another device, a stranger or an unproven claim evicts nobody; the device itself does', async () => {
    await using listener = await startListener();
    const own = connectPacket({ clientId: 'c', username: 't1/d1', password: 'secret' });
    const victim = listener.raw();
    await victim.connected(own);
    await listener.raw().connected(connectPacket({ clientId: 'c', username: 't1/d2', password: 'other' }));
    await listener.raw().connected(connectPacket({ clientId: 'c' }));
    await listener.raw().connected(connectPacket({ clientId: 't1/d1/c' }));
    const wrong = listener.raw();
    wrong.send(connectPacket({ clientId: 'c', username: 't1/d1', password: 'wrong' }));
    await wrong.expect(badCredentials);
    listener.registry.fresh = false;
    await listener.raw().connected(connectPacket({ clientId: 'c', username: 't1/d1', password: 'wrong' }));
    listener.registry.fresh = true;
    victim.send([0xc0, 0]);
    await victim.expect([0xd0, 0]);
    expect(victim.closed).toBe(false);
    await listener.raw().connected(own);
    await victim.untilClosed();
  });
});

describe('publishing', () => {
  test.each([
    ['foreign_topic', 'tenant/t1/device/d2/telemetry'],
    ['foreign_topic', 'tenant/t2/device/d1/telemetry'],
    ['bad_topic', 'tenant/t1/device/d1/other'],
    ['bad_topic', 'tenant/t1/device/d1'],
    ['bad_topic', 'tenant/t1/device/d1/telemetry/x'],
    ['bad_topic', '$SYS/broker'],
    ['bad_topic', 'tenant/t1/device/d\0/telemetry'],
    ['bad_topic', Buffer.from('tenant/t1/device/d\xff/telemetry', 'latin1')],
    ['malformed', ''],
    ['malformed', 'tenant/t1/device/#'],
  ])('%s: %s closes the connection without PUBACK', async (reason, topic) => {
    await using listener = await startListener({ answer: () => stored });
    const raw = listener.raw();
    await raw.connected(connectPacket({ username: 't1/d1', password: 'secret' }));
    raw.send(publishPacket(topic, '{}', 1, 5));
    await raw.untilClosed();
    expect(raw.received.length).toBe(0);
    expect(listener.intake.messages).toEqual([]);
    expect(listener.metrics.counts.get(reason)).toBe(1);
  });

  test('without credentials any device’s topic is taken, and the payload’s token goes on', async () => {
    await using listener = await startListener({ answer: () => stored });
    const raw = listener.raw();
    await raw.connected();
    raw.send(publishPacket('tenant/t7/device/aa:bb:cc/heartbeat', '{"provision_token":"x"}', 1, 5));
    await raw.expect([0x40, 2, 0, 5]);
    expect(listener.intake.messages[0]).toMatchObject({ tenantId: 't7', deviceId: 'aa:bb:cc', token: 'x' });
  });

  test.each([
    ['revoked', { revoked: true }, 'device_revoked'],
    ['given another token', { tokenSha256: hashToken('another') }, 'bad_credentials'],
  ])('a device that is %s while connected is cut off at its next publish', async (_name, change, reason) => {
    await using listener = await startListener({ answer: () => stored });
    const raw = listener.raw();
    await raw.connected(connectPacket({ username: 't1/d1', password: 'secret' }));
    listener.registry.add('t1', 'd1', 'secret', change);
    raw.send(publishPacket(topicOfD1, '{}', 1, 5));
    await raw.untilClosed();
    expect(raw.received.length).toBe(0);
    expect(listener.metrics.counts.get(reason)).toBe(1);
  });

  test('a client that reconnects resends what was not acknowledged, and gets its PUBACK then', async () => {
    let down = true;
    await using listener = await startListener({ answer: () => (down ? unavailable : stored) });
    const client = await listener.client({ ...asD1, reconnectPeriod: 20 });
    const published = client.publishAsync(topicOfD1, '{"n":1}', { qos: 1 });
    await until(() => listener.metrics.counts.get('unavailable') === 1, {
      what: 'the connection was closed',
    });
    down = false;
    await published;
    expect(listener.metrics.counts.get('1 accepted')).toBe(1);
  });
});

test('a fault of the listener’s own costs one connection', async () => {
  await using listener = await startListener({ answer: () => stored });
  const own = connectPacket({ username: 't1/d1', password: 'secret' });
  const [publishing, connecting, other] = [listener.raw(), listener.raw(), listener.raw()];
  await publishing.connected(own);
  await other.connected();
  listener.registry.device = () => {
    throw new Error('out of order');
  };
  publishing.send(publishPacket(topicOfD1, '{}', 1, 1));
  connecting.send(own);
  await publishing.untilClosed();
  await connecting.untilClosed();
  other.send(publishPacket(topicOfD1, '{}', 1, 1));
  await other.expect([0x40, 2, 0, 1]);
});

describe('subscribing', () => {
  const own = connectPacket({ username: 't1/d1', password: 'secret' });

  test.each(['tenant/t1/device/d1', 'tenant/t1/device/d1/#', 'tenant/t1/device/d1/commands/+/x'])(
    'a device may subscribe to %s',
    async (filter) => {
      await using listener = await startListener();
      const raw = listener.raw();
      await raw.connected(own);
      raw.send(subscribePacket(filter));
      await raw.expect([0x90, 3, 0, 1, 0]);
    },
  );

  test.each([
    '#',
    '+/t1/device/d1/#',
    'tenant/t1/device/+/telemetry',
    'tenant/t1/device/d2/#',
    'tenant/t1/device/d10/#',
    '$SYS/#',
    'tenant/t1/device/d1/\0',
    'tenant/t1/device/d1/é',
  ])('and not to %s', async (filter) => {
    await using listener = await startListener();
    const raw = listener.raw();
    await raw.connected(own);
    raw.send(subscribePacket(filter));
    await raw.expect([0x90, 3, 0, 1, 0x80]);
    expect(listener.metrics.counts.get('subscription')).toBe(1);
  });

  test('without credentials nothing can be subscribed to', async () => {
    await using listener = await startListener();
    const raw = listener.raw();
    await raw.connected();
    raw.send(subscribePacket('tenant/t1/device/d1/#'));
    await raw.expect([0x90, 3, 0, 1, 0x80]);
  });
});
