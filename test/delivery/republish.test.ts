import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptsConnections, findFreePort } from '../../src/roles/up/ports.ts';
import { requestApi } from '../../src/stream/jetstream-api.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';
import { storedMessages } from '../stream/stream-fixture.ts';
import { startDeliveryRouteListener } from './listeners.ts';
import { type DeliveryWorld, startDeliveryWorld } from './world.ts';

const quick = { retry: { baseMs: 40, maxMs: 100, retryForMs: 3_600_000 }, idleMs: 20, routesPollMs: 50 };

let world: DeliveryWorld;
beforeAll(async () => {
  world = await startDeliveryWorld({ tuning: quick });
  world.start();
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());

interface Subscriber {
  lines(): string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Into a pipe, mosquitto_sub writes blocks. */
const lineByLine = ['stdbuf', '-oL'];

/** Mosquitto's own client; resolves when the broker has granted its subscription. */
async function subscribe(port: number, filter: string, ...more: string[]): Promise<Subscriber> {
  const args = [
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '-t',
    filter,
    '-q',
    '1',
    '-F',
    '%q %t %p',
    '-d',
    ...more,
  ];
  const child = Bun.spawn([...lineByLine, 'mosquitto_sub', ...args], { stdout: 'pipe', stderr: 'ignore' });
  let text = '';
  void (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) text += chunk;
  })();
  await until(() => /Subscribed \(mid/.test(text), { what: `${filter} is subscribed to` });
  return {
    lines: () => text.split('\n').filter((line) => /^\d tenant|^\d out/.test(line)),
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
    },
  };
}

test('a republish reaches the subscribers of every listener, and no other tenant’s', async () => {
  await using first = await startDeliveryRouteListener(world.nc);
  await using second = await startDeliveryRouteListener(world.nc);
  const asD1 = ['-u', 't1/d1', '-P', 'secret'];
  const asD2 = ['-u', 't1/d2', '-P', 'other'];
  const asForeign = ['-u', 't2/d1', '-P', 'foreign'];
  await using here = await subscribe(first.port, 'tenant/t1/out/#', ...asD1);
  await using there = await subscribe(second.port, 'tenant/t1/out/+/alerts', ...asD2);
  await using foreign = await subscribe(second.port, 'tenant/t2/out/#', ...asForeign);
  const topic = 'tenant/{tenant_id}/out/{device_id}/alerts';
  const route = await world.addRoute('alerts', { kind: 'mqtt', topic });
  for (let n = 0; n < 20; n += 1) await world.send(route, n);
  await world.settled(route, 20);
  for (const subscriber of [here, there]) {
    await until(() => subscriber.lines().length === 20, { what: 'all arrived' });
    expect(subscriber.lines()[0]).toStartWith('1 tenant/t1/out/d1/alerts {"v":1,');
  }
  expect(foreign.lines()).toEqual([]);
});

test('a route to our own listeners waits while none of them runs', async () => {
  const route = await world.addRoute('waits', { kind: 'mqtt', topic: 'tenant/{tenant_id}/out/x' });
  await world.send(route, 0);
  await until(async () => (await world.totals(route)).retried > 0, { what: 'an attempt failed' });
  await using listener = await startDeliveryRouteListener(world.nc);
  await using subscriber = await subscribe(listener.port, 'tenant/t1/out/#', '-u', 't1/d1', '-P', 'secret');
  await world.settled(route, 1);
  await until(() => subscriber.lines().length === 1, { what: 'it arrived' });
});

test('a device may subscribe to what its own tenant’s routes publish, and to nobody else’s', async () => {
  await using listener = await startDeliveryRouteListener(world.nc);
  const client = await listener.client({ username: 't1/d1', password: 'secret' });
  const granted = async (filter: string) => {
    const grants = await client.subscribeAsync(filter, { qos: 1 }).catch(() => []);
    return grants.every(({ qos }) => qos !== 128) && grants.length > 0;
  };
  for (const filter of ['tenant/t1/out', 'tenant/t1/out/#', 'tenant/t1/out/+/x', 'tenant/t1/device/d1/#']) {
    expect([filter, await granted(filter)]).toEqual([filter, true]);
  }
  const refused = [
    'tenant/t2/out/#',
    'tenant/+/out/#',
    'tenant/t1/outer',
    'tenant/t1/+/x',
    'tenant/#',
    '#',
    '+/t1/out/x',
  ];
  for (const filter of [...refused, 'tenant/t1/#', 'tenant/t1/out/#/x', 'tenant/t1/device/d2/#', '$SYS/#']) {
    expect([filter, await granted(filter)]).toEqual([filter, false]);
  }
});

test('an external broker gets it at QoS 1, with user and password, and again after it was down', async () => {
  using folder = tempFolder('mosquitto');
  const port = await findFreePort({ random: Math.random });
  writeFileSync(join(folder.path, 'passwords'), '');
  const passwords = join(folder.path, 'passwords');
  Bun.spawnSync(['mosquitto_passwd', '-b', passwords, 'trib', 'geheim']);
  const config = join(folder.path, 'mosquitto.conf');
  writeFileSync(
    config,
    `listener ${port} 127.0.0.1\npassword_file ${passwords}\nallow_anonymous false\nuser root\n`,
  );
  const startBroker = async () => {
    const path = `${process.env.PATH}:/usr/sbin`;
    const child = Bun.spawn([Bun.which('mosquitto', { PATH: path }) ?? 'mosquitto', '-c', config], {
      stdout: 'ignore',
      stderr: 'ignore',
    });
    await until(() => acceptsConnections(port, '127.0.0.1'), { what: 'the broker runs' });
    return {
      [Symbol.asyncDispose]: async () => {
        child.kill();
        await child.exited;
      },
    };
  };
  const credentials = ['-u', 'trib', '-P', 'geheim'];
  const topic = 'out/{tenant_id}/{msg_type}';
  const destination = { kind: 'mqtt', url: `mqtt://127.0.0.1:${port}`, topic, username: 'trib' };
  const secrets = { password: 'geheim' };
  const route = await world.addRoute('broker', destination, { secrets });
  {
    await using _broker = await startBroker();
    await using subscriber = await subscribe(port, 'out/#', ...credentials);
    await Promise.all(Array.from({ length: 50 }, (_, n) => world.send(route, n)));
    await world.settled(route, 50);
    await until(() => subscriber.lines().length === 50, { what: 'all arrived' });
    expect(subscriber.lines()[0]).toStartWith('1 out/t1/telemetry {"v":1,');
  }
  await world.send(route, 50);
  await until(async () => (await world.totals(route)).retried > 0, { what: 'an attempt failed' });
  await using _again = await startBroker();
  await world.settled(route, 51);
  const wrong = await world.addRoute('wrong', destination, { secrets: { password: 'wrong' } });
  await world.send(wrong, 0);
  await until(async () => (await world.totals(wrong)).retried > 0, { what: 'the broker refused' });
  const { rows } = await world.pool.query('select last_error from route_schedule where route_id = $1', [
    wrong,
  ]);
  expect(rows[0].last_error).toContain('Not authorized');
});

test('brokers at addresses that are not allowed are never connected to', async () => {
  await using strict = await startDeliveryWorld({ tuning: quick, allowed: '' });
  let connected = 0;
  const trap = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open: () => {
        connected += 1;
      },
      data: () => undefined,
    },
  });
  strict.start();
  const hosts = [
    '127.0.0.1',
    'localhost',
    '0x7f.1',
    '2130706433',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0177.0.0.1',
    '127.1',
  ];
  for (const [index, host] of hosts.entries()) {
    for (const scheme of ['mqtt', 'mqtts']) {
      const url = `${scheme}://${host}:${trap.port}`;
      const route = await strict.addRoute(`r${index}${scheme}`, { kind: 'mqtt', url, topic: 'x' });
      await strict.send(route, 0);
      await strict.settled(route, 1);
      expect([url, (await strict.deadLetters(route))[0]?.reason]).toEqual([url, 'ADDRESS_REFUSED']);
    }
  }
  trap.stop(true);
  expect(connected).toBe(0);
});

test('a NATS client gets it under the tenant’s own prefix, where no stream takes the subject', async () => {
  const got: { subject: string; text: string }[] = [];
  const subscription = world.nc.subscribe('out.t1.alerts.>', {
    callback: (_error, message) => {
      got.push({ subject: message.subject, text: message.string() });
    },
  });
  await world.nc.flush();
  const route = await world.addRoute('nats', { kind: 'nats', subject: 'out.{tenant_id}.alerts.{device_id}' });
  const id = await world.send(route, 5, 't1', 'line.7:x');
  await world.settled(route, 1);
  subscription.unsubscribe();
  expect(got.map(({ subject }) => subject)).toEqual(['out.t1.alerts.line%2E7:x']);
  expect(JSON.parse(got[0]?.text ?? '')).toMatchObject({ job_id: id, metrics: { n: 5 } });
});

test('a stream that takes the subject has it, under the job’s id', async () => {
  await requestApi(world.nc, 'STREAM.CREATE.OUT', {
    name: 'OUT',
    subjects: ['out.t1.kept.>'],
    storage: 'memory',
  });
  const route = await world.addRoute('kept', { kind: 'nats', subject: 'out.t1.kept.{msg_type}' });
  const ids = await Promise.all(Array.from({ length: 30 }, (_, n) => world.send(route, n)));
  await world.settled(route, 30);
  const stored = await storedMessages(world.nc, 'OUT');
  expect(stored.map(({ msgId }) => msgId).sort()).toEqual(ids.sort());
  expect(stored.map(({ subject }) => subject)).toEqual(Array(30).fill('out.t1.kept.telemetry'));
});
