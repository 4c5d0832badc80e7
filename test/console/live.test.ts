import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect as connectSocket } from 'node:net';
import type { NatsConnection } from '@nats-io/nats-core';
import { createReadingsFeed } from '../../src/console/readings-feed.ts';
import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import { connectNats } from '../../src/stream/connection.ts';
import { readingsSubject } from '../../src/stream/subjects.ts';
import { startTestNats, type TestNats } from '../harness/nats.ts';
import { until } from '../harness/until.ts';
import { silentLog } from '../store/with-database.ts';
import { createWorld, type KeyName, type World } from './world.ts';

let nats: TestNats;
let nc: NatsConnection;
let world: World;
let isAway = false;
/** Subscriptions made so far, and those that are left. */
const subscriptions = { made: 0, open: 0 };
beforeAll(async () => {
  nats = await startTestNats();
  nc = await connectNats({ url: nats.url, name: 'test', log: silentLog });
  const subscribe = nc.subscribe.bind(nc);
  nc.subscribe = (...given) => {
    const subscription = subscribe(...given);
    subscriptions.made += 1;
    subscriptions.open += 1;
    void subscription.closed.then(() => {
      subscriptions.open -= 1;
    });
    return subscription;
  };
  const readings = createReadingsFeed(() => (isAway ? undefined : nc));
  world = await createWorld({ services: (services) => ({ ...services, readings }) });
});
afterAll(async () => {
  await world.close();
  await nc.close();
  await nats[Symbol.asyncDispose]();
});

const publish = (tenant: string, device: string, text: string) =>
  nc.publish(readingsSubject(tenant as TenantId, device as DeviceId), text);
const reading = (tenant: string, device: string, metrics: string) =>
  `{"tenant_id":"${tenant}","device_id":"${device}","metrics":${metrics}}`;

/** A client that collects what it hears. */
async function listen(path: string, key: KeyName = 'read') {
  const response = await world.console.fetch(
    new Request(`http://console.test/api/v1${path}`, {
      headers: { Authorization: `Bearer ${world.keys[key]}` },
    }),
    '192.0.2.1',
  );
  expect([response.status, response.headers.get('Content-Type')]).toEqual([200, 'text/event-stream']);
  const reader = response.body?.getReader();
  const heard: string[] = [];
  const reading = (async () => {
    const decoder = new TextDecoder();
    for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read())
      for (const [, data = ''] of decoder.decode(chunk.value).matchAll(/^event: reading\ndata: (.*)$/gm))
        heard.push(data);
  })();
  // What was subscribed has reached the server.
  await nc.flush();
  return {
    heard,
    leave: async () => {
      await reader?.cancel();
      await reading;
    },
  };
}

test('each hears what it follows, as it was sent, and nothing of other tenants', async () => {
  const before = subscriptions.made;
  const clients = {
    tenant: await listen('/tenants/own/live'),
    again: await listen('/tenants/own/live', 'admin'),
    device: await listen('/tenants/own/live?device_id=own.1'),
    metric: await listen('/tenants/own/live?metric=temp&metric=none'),
    foreign: await listen('/tenants/foreign/live', 'foreign'),
    all: await listen('/live', 'operator'),
  };
  // Those of the whole tenant share one.
  expect(subscriptions.made - before).toBe(4);
  const texts = [
    reading('own', 'own.1', '{"temp":12345678901234567890.50}'),
    reading('own', 'own-2', '{"door":true}'),
    reading('foreign', 'own.1', '{"temp":1}'),
  ] as const;
  const [first, second, third] = texts;
  publish('own', 'own.1', first);
  publish('own', 'own-2', second);
  publish('foreign', 'own.1', third);
  await until(() => clients.all.heard.length === 3, { what: 'all three' });
  await nc.flush();
  const heard = Object.fromEntries(Object.entries(clients).map(([name, client]) => [name, client.heard]));
  expect(heard).toEqual({
    tenant: [first, second],
    again: [first, second],
    device: [first],
    metric: [first],
    foreign: [third],
    all: [...texts],
  });
  await clients.tenant.leave();
  publish('own', 'own-2', second);
  await until(() => clients.again.heard.length === 3, { what: 'one more' });
  for (const { leave } of Object.values(clients)) await leave();
  await until(() => subscriptions.open === 0, { what: 'no subscription is left' });
});

test('without NATS there is nothing to follow', async () => {
  isAway = true;
  const { status, json } = await world.call('GET', '/tenants/own/live', { key: 'read' });
  isAway = false;
  expect([status, json]).toMatchObject([503, { detail: 'NATS is away: readings cannot be followed' }]);
});

test('a client that does not read holds up no other, and hears how much it missed when it does', async () => {
  const server = Bun.serve({ port: 0, fetch: (request) => world.console.fetch(request, '192.0.2.1') });
  const socket = connectSocket(server.port ?? 0, '127.0.0.1');
  try {
    const other = await listen('/tenants/own/live');
    socket.write(
      `GET /api/v1/tenants/own/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${world.keys.read}\r\n\r\n`,
    );
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    await until(() => text.includes('retry:'), { what: 'the stream is open' });
    await nc.flush();
    socket.pause();
    const big = reading('own', 'd', `{"text":"${'x'.repeat(60_000)}"}`);
    for (let sent = 0; sent < 1_000; sent += 1) {
      publish('own', 'd', big);
      if (sent % 4 === 0)
        await until(() => other.heard.length >= sent, { what: 'the other hears it', everyMs: 1 });
    }
    await until(() => other.heard.length === 1_000, { what: 'the other has heard everything' });
    socket.resume();
    // With the next reading, as soon as there is room.
    await until(
      () => {
        publish('own', 'd', big);
        return text.includes('event: dropped');
      },
      { what: 'it is told' },
    );
    const dropped = Number(/event: dropped\r?\n?.*?"count":(\d+)/s.exec(text)?.[1]);
    expect(dropped).toBeGreaterThan(100);
    await other.leave();
  } finally {
    socket.destroy();
    await server.stop(true);
  }
  await until(() => subscriptions.open === 0, { what: 'no subscription is left' });
});
