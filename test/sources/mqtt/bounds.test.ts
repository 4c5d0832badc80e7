import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { until } from '../../harness/until.ts';
import { startListener, stored, topicOfD1 } from './listener.ts';
import { connectPacket, frame, header, publishPacket, subscribePacket } from './raw-client.ts';

const reading = '{"site_id":"s1","metrics":{"temp":22}}';

describe('packets', () => {
  test('a packet that announces 200 MB is cut at its header, and no memory is spent on it', async () => {
    await using listener = await startListener();
    const before = process.memoryUsage().rss;
    const chunk = Buffer.alloc(1024 * 1024);
    const raw = listener.raw();
    await raw.connected();
    raw.send(header(0x30, 200 * 1024 * 1024));
    for (let sent = 0; sent < 100 && !raw.closed; sent++) {
      raw.send(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await raw.untilClosed();
    expect(listener.metrics.counts.get('packet_too_large')).toBe(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  test('the largest packet passes, one byte more does not', async () => {
    await using listener = await startListener({ answer: () => stored, maxPacketBytes: 2_000 });
    const overhead = publishPacket(topicOfD1, '', 1).length - 2;
    const largest = publishPacket(topicOfD1, Buffer.alloc(2_000 - overhead, 'x'), 1, 9);
    const raw = listener.raw();
    await raw.connected();
    raw.send(largest);
    await raw.expect([0x40, 2, 0, 9]);
    raw.send(publishPacket(topicOfD1, Buffer.alloc(2_001 - overhead, 'x'), 1, 10));
    await raw.untilClosed();
    expect(listener.intake.messages.length).toBe(1);
  });

  test.each([
    ['CONNECT', header(0x10, 16 * 1024 + 1), 'packet_too_large', false],
    ['SUBSCRIBE', header(0x82, 8 * 1024 + 1), 'packet_too_large', true],
    ['a length of five bytes', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]), 'malformed', true],
    ['QoS 3', header(0x36, 10), 'malformed', true],
    ['PUBACK with a body too long', header(0x40, 3), 'malformed', true],
    ['PUBREL with other flags', Buffer.from([0x60, 2, 0, 1]), 'malformed', true],
    ['PINGREQ with a body', header(0xc0, 1), 'malformed', true],
    ['a server’s packet', Buffer.from([0x20, 2, 0, 0]), 'malformed', true],
    ['packet type 0', Buffer.from([0, 0]), 'malformed', true],
    ['packet type 15', Buffer.from([0xf0, 0]), 'malformed', true],
    ['a second CONNECT', connectPacket({}), 'malformed', true],
    ['PUBLISH before CONNECT', publishPacket(topicOfD1, reading), 'malformed', false],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'malformed', false],
    ['QoS 1 with id 0', publishPacket(topicOfD1, reading, 1, 0), 'malformed', true],
    ['QoS 1 without an id', frame(0x32, publishPacket(topicOfD1, '').subarray(2)), 'malformed', true],
    ['a topic longer than its packet', Buffer.from([0x30, 3, 0, 9, 0x61]), 'malformed', true],
    ['a SUBSCRIBE without filters', frame(0x82, Buffer.from([0, 1, 0, 0, 0])), 'malformed', true],
  ])('%s closes the connection', async (_name, bytes, reason, connectFirst) => {
    await using listener = await startListener();
    const raw = listener.raw();
    if (connectFirst) await raw.connected();
    raw.send(bytes);
    await raw.untilClosed();
    expect(listener.intake.messages).toEqual([]);
    expect(listener.metrics.counts.get(reason)).toBe(1);
    await until(() => listener.metrics.connections === 0, { what: 'the connection is forgotten' });
  });

  test('bytes may come in pieces of any size', async () => {
    const stream = Buffer.concat([
      connectPacket({}),
      publishPacket(topicOfD1, reading, 1, 1),
      publishPacket(topicOfD1, `{"x":"${'y'.repeat(300)}"}`, 1, 2),
      subscribePacket('a'),
      publishPacket(topicOfD1, reading, 1, 3),
    ]);
    const expected = [0x20, 2, 0, 0, 0x40, 2, 0, 1, 0x40, 2, 0, 2, 0x90, 3, 0, 1, 0x80, 0x40, 2, 0, 3];
    await using listener = await startListener({ answer: () => stored });
    for (const size of [1, 2, 3, 7, 64, 1_000]) {
      const raw = listener.raw();
      raw.socket.setNoDelay(true);
      for (let at = 0; at < stream.length; at += size) {
        raw.send(stream.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => raw.received.length === expected.length, { what: `all answers at size ${size}` });
      expect(raw.received.toString('hex')).toContain('40020003');
    }
    expect(listener.intake.messages.length).toBe(18);
  });

  test('nonsense never brings the listener down', async () => {
    await using listener = await startListener({ answer: () => stored });
    const packet = fc.oneof(
      fc.constantFrom(
        connectPacket({}),
        publishPacket(topicOfD1, reading, 1, 2),
        publishPacket(topicOfD1, reading, 2, 3),
        subscribePacket('tenant/t1/device/d1/#'),
        Buffer.from([0xc0, 0]),
        Buffer.from([0x62, 2, 0, 3]),
      ),
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.nat(255), fc.uint8Array({ maxLength: 40 }))
        .map(([type, body]) => frame(type, Buffer.from(body))),
      // A valid packet with one byte changed.
      fc.tuple(fc.nat(60), fc.nat(255)).map(([at, value]) => {
        const bytes = publishPacket(topicOfD1, reading, 1, 2);
        bytes[at] = value;
        return bytes;
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(packet, { maxLength: 8 }), async (connects, packets) => {
        const raw = listener.raw();
        if (connects) raw.send(connectPacket({}));
        raw.send(...packets.map((bytes) => Buffer.from(bytes)));
        raw.socket.end();
        await raw.untilClosed();
      }),
      { numRuns: 150 },
    );
    await until(() => listener.metrics.connections === 0, { what: 'every connection is forgotten' });
    await listener.raw().connected();
  }, 60_000);
});

describe('what one client and all together may hold', () => {
  test('a client with 64 publishes under way is not read further, and goes on when they are settled', async () => {
    await using listener = await startListener();
    const raw = listener.raw();
    await raw.connected();
    raw.send(...Array.from({ length: 200 }, (_, n) => publishPacket(topicOfD1, reading, 1, n + 1)));
    await until(() => listener.intake.messages.length === 64, { what: '64 under way' });
    listener.intake.answer = () => stored;
    for (let n = 0; n < 64; n++) listener.intake.release();
    await until(() => raw.received.length === 800, { what: 'all 200 acknowledged' });
    expect(listener.intake.messages.length).toBe(200);
  });

  test('beyond the bound of all clients the next ones wait, in turn, and are not closed', async () => {
    await using listener = await startListener({ maxInFlight: 4 });
    const clients = Array.from({ length: 10 }, () => listener.raw());
    for (const client of clients) {
      await client.connected();
      client.send(publishPacket(topicOfD1, reading, 1, 1));
    }
    await until(() => listener.intake.messages.length === 4, { what: '4 under way' });
    for (let done = 1; done <= 10; done++) {
      listener.intake.release();
      await until(() => clients.filter((client) => client.received.length === 4).length === done, {
        what: `${done} acknowledged`,
      });
    }
    expect(listener.intake.messages.length).toBe(10);
  });

  test('a client that dies in line gives its place up', async () => {
    await using listener = await startListener({ maxInFlight: 1 });
    const [first, second, third] = [listener.raw(), listener.raw(), listener.raw()];
    await first.connected();
    first.send(publishPacket(topicOfD1, '{"n":1}', 1, 1));
    await until(() => listener.intake.messages.length === 1, { what: 'one under way' });
    await second.connected();
    second.send(publishPacket(topicOfD1, '{"n":2}', 1, 1));
    await third.connected();
    third.send(publishPacket(topicOfD1, '{"n":3}', 1, 1));
    second.socket.resetAndDestroy();
    first.socket.resetAndDestroy();
    await until(() => listener.metrics.connections === 1 || listener.metrics.connections === 2, {
      what: 'gone',
    });
    listener.intake.release();
    await until(() => listener.intake.messages.some(({ payload }) => payload.n === 3), { what: 'the third' });
    listener.intake.answer = () => stored;
    listener.intake.release();
    await until(() => third.received.length > 0, { what: 'an answer for the third' });
  });

  test('a client that dies gives its places back when intake has answered, not before', async () => {
    await using listener = await startListener({ maxInFlight: 8 });
    const dying = listener.raw();
    const others = Array.from({ length: 8 }, () => listener.raw());
    await Promise.all([dying, ...others].map((client) => client.connected()));
    dying.send(...Array.from({ length: 8 }, (_, n) => publishPacket(topicOfD1, '{"of":"dying"}', 1, n + 1)));
    await until(() => listener.intake.messages.length === 8, { what: 'eight under way' });
    for (const other of others) other.send(publishPacket(topicOfD1, '{}', 1, 1));
    dying.socket.resetAndDestroy();
    await until(() => listener.metrics.connections === 8, { what: 'the dying one is gone' });
    expect(listener.intake.messages.length).toBe(8);
    for (let n = 0; n < 8; n++) listener.intake.release();
    await until(() => listener.intake.messages.length === 16, { what: 'all others under way at once' });
    for (let n = 0; n < 8; n++) listener.intake.release();
  });

  test('what a client sent before it closed is handled, though it cannot be acknowledged', async () => {
    await using listener = await startListener();
    const raw = listener.raw();
    await raw.connected();
    raw.send(...Array.from({ length: 5 }, () => publishPacket(topicOfD1, '{}')));
    await until(() => listener.intake.messages.length === 5, { what: 'five under way' });
    raw.send(publishPacket(topicOfD1, '{"last":true}'));
    raw.socket.end();
    await raw.untilClosed();
    listener.intake.answer = () => stored;
    for (let n = 0; n < 5; n++) listener.intake.release();
    await until(() => listener.intake.messages.length === 6, { what: 'the last one came in' });
  });

  test('half-sent packets are bounded together: the oldest is closed', async () => {
    await using listener = await startListener({ maxInFlightBytes: 100_000 });
    const clients = [];
    for (let n = 0; n < 3; n++) {
      const raw = listener.raw();
      await raw.connected();
      raw.send(header(0x30, 200_000), Buffer.alloc(40_000, 'x'));
      clients.push(raw);
    }
    await clients[0]?.untilClosed();
    expect(listener.metrics.counts.get('receive_budget')).toBe(1);
    expect(clients[2]?.closed).toBe(false);
  });

  test('a packet that does not come to its end in time is closed; a quiet client is not', async () => {
    let now = 0;
    await using listener = await startListener({ now: () => now });
    const [slow, quiet] = [listener.raw(), listener.raw()];
    await slow.connected();
    await quiet.connected();
    slow.send(header(0x30, 100), Buffer.from('x'));
    await until(
      () => {
        now += 31_000;
        return slow.closed;
      },
      { what: 'the slow one is closed' },
    );
    expect(quiet.closed).toBe(false);
    expect(listener.metrics.counts.get('receive_timeout')).toBe(1);
  });

  test('a step of the wall clock makes no packet late', async () => {
    let hours = 0;
    let looks = 0;
    const clock = () => Date.now() + hours * 3_600_000;
    const now = () => {
      looks += 1;
      return 0;
    };
    await using listener = await startListener({ clock, now });
    const raw = listener.raw();
    await raw.connected();
    raw.send(header(0x30, 100), Buffer.from('x'));
    await until(() => looks > 0, { what: 'the packet has begun' });
    hours = 3;
    const before = looks;
    await until(() => looks > before + 1 || raw.closed, {
      what: 'the listener looked for late packets twice',
    });
    expect(raw.closed).toBe(false);
  });

  test('connections beyond the limit are closed at once', async () => {
    await using listener = await startListener({ maxConnections: 2 });
    await listener.raw().connected();
    await listener.raw().connected();
    const third = listener.raw();
    await third.untilClosed();
    expect(listener.metrics.counts.get('too_many_connections')).toBe(1);
  });

  test('without CONNECT in time, and without a sign of life in one and a half keep-alive times: closed', async () => {
    await using listener = await startListener({ limits: { connectTimeoutMs: 100 } });
    const [silent, dead] = [listener.raw(), listener.raw()];
    dead.send(connectPacket({ keepaliveSeconds: 1 }));
    await silent.untilClosed();
    await dead.untilClosed();
    expect(listener.metrics.counts.get('connect_timeout')).toBe(1);
    expect(listener.metrics.counts.get('keepalive_timeout')).toBe(1);
  });
});

describe('keep-alive', () => {
  test('publishing is a sign of life', async () => {
    await using listener = await startListener({ answer: () => stored });
    const [alive, dead] = [listener.raw(), listener.raw()];
    await alive.connected(connectPacket({ keepaliveSeconds: 1 }));
    await dead.connected(connectPacket({ keepaliveSeconds: 1 }));
    await until(
      () => {
        if (!dead.closed) alive.send(publishPacket(topicOfD1, reading, 1, 1));
        return dead.closed;
      },
      { what: 'the silent one is closed' },
    );
    expect(alive.closed).toBe(false);
  });

  test('a client is not silent for as long as the listener does not read it', async () => {
    await using listener = await startListener({ maxInFlight: 1 });
    const [held, dead] = [listener.raw(), listener.raw()];
    await held.connected(connectPacket({ keepaliveSeconds: 1 }));
    held.send(publishPacket(topicOfD1, reading, 1, 1), publishPacket(topicOfD1, reading, 1, 2));
    await until(() => listener.intake.messages.length === 1, { what: 'the second one waits' });
    await dead.connected(connectPacket({ keepaliveSeconds: 1 }));
    await dead.untilClosed();
    expect(held.closed).toBe(false);
    listener.intake.release();
    await held.expect([0x40, 2, 0, 1]);
  });
});

test('a client that does not read its acknowledgements is not read either, and is closed in the end', async () => {
  await using listener = await startListener({ answer: () => stored, limits: { maxBlockedSeconds: 1 } });
  const raw = listener.raw();
  await raw.connected(connectPacket({ keepaliveSeconds: 0 }));
  raw.socket.pause();
  const burst = Buffer.concat(Array.from({ length: 100_000 }, () => Buffer.from([0x62, 2, 0, 1])));
  await until(
    () => {
      if (raw.socket.writableLength < 1024 * 1024) raw.send(burst);
      return raw.socket.writableLength >= 1024 * 1024;
    },
    { what: 'the buffers of the kernel are full in both directions' },
  );
  await until(() => listener.metrics.connections === 0, { what: 'it is closed' });
});

describe('draining', () => {
  test('what is under way is acknowledged, then everybody is disconnected and nobody let in', async () => {
    await using listener = await startListener();
    const raw = listener.raw();
    await raw.connected();
    raw.send(publishPacket(topicOfD1, '{"n":1}', 1, 1), publishPacket(topicOfD1, '{"n":2}', 2, 2));
    await until(() => listener.intake.messages.length === 2, { what: 'two under way' });
    const drained = listener.source.drain();
    const late = listener.raw();
    await late.untilClosed();
    expect(raw.closed).toBe(false);
    listener.intake.release();
    listener.intake.release();
    await drained;
    await raw.untilClosed();
    expect([...raw.received]).toEqual([0x40, 2, 0, 1, 0x50, 2, 0, 2]);
    expect(listener.metrics.connections).toBe(0);
  });

  test('a PubAck that never comes does not hold it up beyond its deadline', async () => {
    await using listener = await startListener({ limits: { drainTimeoutMs: 50 } });
    const raw = listener.raw();
    await raw.connected();
    raw.send(publishPacket(topicOfD1, '{}', 1, 1));
    await until(() => listener.intake.messages.length === 1, { what: 'one under way' });
    await listener.source.drain();
    await raw.untilClosed();
    expect(raw.received.length).toBe(0);
  });
});
