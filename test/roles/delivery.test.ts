import { expect, test } from 'bun:test';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { never, ok, startReceiver } from '../delivery/receiver.ts';
import { newSigningSecret, secretsKey, startDeliveryWorld } from '../delivery/world.ts';
import { runTributary, startRole } from '../harness/role-process.ts';
import { until } from '../harness/until.ts';

const key = secretsKey.toString('base64');

test('delivery as a process: ready, told by its health port, and killed at work it loses nothing', async () => {
  await using world = await startDeliveryWorld({ ackWaitMs: 1_000 });
  let slowMs = 30;
  using hook = startReceiver(async () => {
    await Bun.sleep(slowMs);
    return ok();
  });
  const secrets = { signing_secrets: [newSigningSecret()] };
  const route = await world.addRoute('hook', { kind: 'webhook', url: hook.url }, { secrets });
  const healthPort = await findFreePort({ random: Math.random });
  const env = {
    NATS_URL: world.nats.url,
    DATABASE_URL: world.databaseUrl,
    TRIBUTARY_SECRETS_KEY: key,
    TRIBUTARY_ALLOW_DESTINATIONS: '127.0.0.0/8',
    TRIBUTARY_ACK_WAIT_MS: '1000',
    TRIBUTARY_HEALTH_PORT: String(healthPort),
  };
  const first = await startRole('delivery', env);
  const ids = await Promise.all(Array.from({ length: 600 }, (_, n) => world.send(route, n)));
  await until(() => hook.received.length > 100, { what: 'some were delivered' });
  await first.kill();
  slowMs = 0;
  const second = await startRole('delivery', env);
  try {
    const url = `http://127.0.0.1:${healthPort}`;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await until(() => new Set(hook.received.map(({ id }) => id)).size === 600, {
      what: 'all were delivered',
      timeoutMs: 150_000,
    });
    expect(new Set(hook.received.map(({ id }) => id))).toEqual(new Set(ids));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('tributary_delivery_attempt_seconds_count{result="delivered"}');
    expect(second.log()).not.toContain(key);
  } finally {
    expect(await second.stop()).toBe(0);
  }
}, 180_000);

test('killed between a batch’s first attempt and its answer, it sends the same batch under the same id, whatever came since', async () => {
  await using world = await startDeliveryWorld({ ackWaitMs: 1_000 });
  let isUp = false;
  using hook = startReceiver(() => (isUp ? ok() : never()));
  // Long enough that what comes again after a kill and what is new would fall into one batch.
  const batch = { max_messages: 50, max_wait_ms: 2_500 };
  const route = await world.addRoute('batch', { kind: 'webhook', url: hook.url, batch });
  const env = {
    NATS_URL: world.nats.url,
    DATABASE_URL: world.databaseUrl,
    TRIBUTARY_ALLOW_DESTINATIONS: '127.0.0.0/8',
    TRIBUTARY_ACK_WAIT_MS: '1000',
  };
  const first = await startRole('delivery', env);
  await Promise.all(Array.from({ length: 20 }, (_, n) => world.send(route, n)));
  await until(() => hook.received.length > 0, { what: 'the first attempt' });
  await first.kill();
  isUp = true;
  const [tried] = hook.received;
  const second = await startRole('delivery', env);
  try {
    await Promise.all(Array.from({ length: 5 }, (_, n) => world.send(route, 100 + n)));
    await world.settled(route, 25, 40_000);
    const sentAgain = hook.received.slice(1).filter(({ id }) => id === tried?.id);
    expect(sentAgain.map(({ text }) => text)).toEqual([tried?.text ?? '']);
    expect(new Set(hook.received.map(({ id }) => id)).size).toBe(2);
    expect(await world.totals(route)).toMatchObject({ delivered: 25, dead: 0, waiting: 0 });
  } finally {
    expect(await second.stop()).toBe(0);
  }
}, 90_000);

test('without the key a route’s jobs wait, and with it they are delivered', async () => {
  await using world = await startDeliveryWorld();
  using hook = startReceiver(ok);
  const secrets = { signing_secrets: [newSigningSecret()] };
  const route = await world.addRoute('hook', { kind: 'webhook', url: hook.url }, { secrets });
  const env = {
    NATS_URL: world.nats.url,
    DATABASE_URL: world.databaseUrl,
    TRIBUTARY_ALLOW_DESTINATIONS: '127.0.0.0/8',
  };
  const without = await startRole('delivery', env);
  await world.send(route, 0);
  await until(async () => (await world.totals(route)).retried > 0, { what: 'an attempt failed' });
  const { rows } = await world.pool.query('select last_error from route_schedule where route_id = $1', [
    route,
  ]);
  expect(rows[0].last_error).toContain('TRIBUTARY_SECRETS_KEY is not set');
  expect(await without.stop()).toBe(0);
  const withKey = await startRole('delivery', { ...env, TRIBUTARY_SECRETS_KEY: key });
  await world.settled(route, 1);
  expect(await withKey.stop()).toBe(0);
  expect(hook.received.length).toBe(1);
});

test.each([
  ['TRIBUTARY_ALLOW_DESTINATIONS', '10/8', '"10/8" is not a CIDR'],
  ['TRIBUTARY_SECRETS_KEY', 'c2hvcnQ=', 'not base64 of 32 bytes'],
])('%s=%s ends the role with a sentence', async (variable, value, sentence) => {
  const addresses = { NATS_URL: 'nats://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/x' };
  const { code, stderr } = await runTributary(['delivery'], { ...addresses, [variable]: value });
  expect(code).toBe(1);
  expect(stderr).toContain(variable);
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain('    at ');
});
