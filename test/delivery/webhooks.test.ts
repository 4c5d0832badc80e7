import { expect, test } from 'bun:test';
import pino from 'pino';
import { Webhook } from 'standardwebhooks';
import { deliveryDefaults } from '../../src/delivery/delivery.ts';
import { until } from '../harness/until.ts';
import { never, ok, startReceiver, status } from './receiver.ts';
import { newSigningSecret, startDeliveryWorld } from './world.ts';

/** As the real one, in less time. */
const quick = {
  retry: { baseMs: 40, maxMs: 100, retryForMs: 3_600_000 },
  idleMs: 20,
  tidyMs: 200,
  routesPollMs: 50,
};

test('a webhook gets each job once, signed, with exact numbers in one spelling, and ROUTES is empty after', async () => {
  await using world = await startDeliveryWorld({ tuning: quick });
  using hook = startReceiver(ok);
  const secret = newSigningSecret();
  const secrets = { signing_secrets: [secret], headers: { authorization: 'Bearer abc' } };
  const headers = { 'x-plant': '7' };
  const route = await world.addRoute(
    'hook',
    { kind: 'webhook', url: hook.url, method: 'PUT', headers },
    { secrets },
  );
  world.start();
  const ids = await Promise.all(Array.from({ length: 50 }, (_, n) => world.send(route, n)));
  ids.push(await world.sendStatus(route, 'OFFLINE'));
  await world.settled(route, 51);

  expect(hook.received.map(({ id }) => id).sort()).toEqual(ids.sort());
  for (const { text, headers: got, method } of hook.received) {
    expect(() => new Webhook(secret).verify(text, got)).not.toThrow();
    expect(() => new Webhook(newSigningSecret()).verify(text, got)).toThrow();
    const { authorization, 'x-plant': plant, 'content-type': type, 'user-agent': agent } = got;
    expect({ method, authorization, plant, type, agent }).toEqual({
      method: 'PUT',
      authorization: 'Bearer abc',
      plant: '7',
      type: 'application/json',
      agent: 'Tributary/test',
    });
  }
  const message = hook.received.find(({ text }) => text.includes('"n":17}'));
  expect(message?.text).toContain('"metrics":{"exact":1.1,"n":17}');
  expect(JSON.parse(message?.text ?? '')).toMatchObject({
    type: 'tributary.message',
    data: { device_id: 'd1' },
  });
  const change = hook.received.find(({ text }) => text.includes('"tributary.status"'));
  expect(JSON.parse(change?.text ?? '')).toMatchObject({ data: { status: 'OFFLINE', previous: 'ONLINE' } });
  expect(await world.totals(route)).toEqual({ delivered: 51, retried: 0, dead: 0, waiting: 0 });
  await until(async () => (await world.onStream()).messages === 0, { what: 'ROUTES is empty' });
  // For the messages' receipts; a change of status has none.
  const delivered = 'select count(*)::int as jobs, min(attempts) as attempts from delivered_jobs';
  expect((await world.pool.query(delivered)).rows).toEqual([{ jobs: 50, attempts: 1 }]);
});

test('a destination that answers 500 every second time gets all, each under one id and with the same body', async () => {
  await using world = await startDeliveryWorld({ tuning: quick });
  let asked = 0;
  using hook = startReceiver(() => {
    asked += 1;
    return asked % 2 === 0 ? status(500) : ok();
  });
  const route = await world.addRoute('flaky', { kind: 'webhook', url: hook.url });
  world.start();
  const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => world.send(route, n)));
  await world.settled(route, 40);
  const bodies = new Map<string, Set<string>>();
  for (const { id, text } of hook.received) bodies.set(id, (bodies.get(id) ?? new Set()).add(text));
  expect([...bodies.keys()].sort()).toEqual(ids.sort());
  expect([...bodies.values()].filter((texts) => texts.size !== 1)).toEqual([]);
  const { delivered, retried } = await world.totals(route);
  expect({ delivered, requests: delivered + retried }).toEqual({
    delivered: 40,
    requests: hook.received.length,
  });
});

test('a destination that is down gets everything when it is back; meanwhile its jobs wait in the table, not on ROUTES', async () => {
  await using world = await startDeliveryWorld({
    tuning: { ...quick, breaker: { failures: 5, baseMs: 50, maxMs: 200 } },
  });
  const down = startReceiver(ok);
  down[Symbol.dispose]();
  const route = await world.addRoute('down', { kind: 'webhook', url: down.url });
  const delivery = world.start();
  await Promise.all(Array.from({ length: 200 }, (_, n) => world.send(route, n)));
  await until(async () => (await world.totals(route)).waiting === 200, { what: 'all wait' });
  await until(async () => (await world.onStream()).messages === 0, { what: 'ROUTES is empty' });
  await until(() => delivery.current().openBreakers === 1, { what: 'the breaker is open' });
  const [left, ...others] = delivery.down();
  expect([left?.place, others]).toEqual([new URL(down.url).origin, []]);
  expect(left?.failures).toBeGreaterThanOrEqual(5);
  const { port } = new URL(down.url);
  const got: string[] = [];
  const back = Bun.serve({
    hostname: '127.0.0.1',
    port: Number(port),
    fetch: (request) => {
      got.push(request.headers.get('webhook-id') ?? '');
      return ok();
    },
  });
  try {
    await world.settled(route, 200);
    expect(new Set(got).size).toBe(200);
    expect([delivery.current().openBreakers, delivery.down()]).toEqual([0, []]);
  } finally {
    await back.stop(true);
  }
});

test('429 with Retry-After is left alone for that time, in seconds or as a date', async () => {
  await using world = await startDeliveryWorld({ tuning: quick });
  let isBusy = true;
  const inTwoSeconds = () => new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 2_000).toUTCString();
  using seconds = startReceiver(() => (isBusy ? status(429, { 'retry-after': '2' }) : ok()));
  using date = startReceiver(() => (isBusy ? status(503, { 'retry-after': inTwoSeconds() }) : ok()));
  const routes = await Promise.all([
    world.addRoute('seconds', { kind: 'webhook', url: seconds.url }),
    world.addRoute('date', { kind: 'webhook', url: date.url }),
  ]);
  world.start();
  for (const route of routes) await world.send(route, 0);
  for (const hook of [seconds, date])
    await until(() => hook.received.length === 1, { what: 'the first attempt' });
  isBusy = false;
  for (const route of routes)
    await until(async () => (await world.totals(route)).retried === 1, { what: 'it is counted' });
  // While it is left alone, what is new waits, too.
  for (const [route, hook] of [
    [routes[0], seconds],
    [routes[1], date],
  ] as const) {
    await world.send(route, 1);
    await world.settled(route, 2);
    const [first, ...later] = hook.received.map(({ atMs }) => atMs);
    expect(Math.min(...later) - (first ?? 0)).toBeGreaterThanOrEqual(1_900);
  }
});

test('410 disables the route; its jobs are dead letters, and so are later ones until it is enabled again', async () => {
  await using world = await startDeliveryWorld({ tuning: quick });
  let isGone = true;
  using hook = startReceiver(() => (isGone ? status(410) : ok()));
  const route = await world.addRoute('gone', { kind: 'webhook', url: hook.url });
  world.start();
  await world.send(route, 0);
  await world.settled(route, 1);
  const { rows } = await world.pool.query('select enabled, disabled_reason from routes where route_id = $1', [
    route,
  ]);
  expect(rows).toEqual([{ enabled: false, disabled_reason: 'answered 410: no' }]);
  await world.send(route, 1);
  await world.settled(route, 2);
  isGone = false;
  await world.pool.query('update routes set enabled = true, disabled_reason = null where route_id = $1', [
    route,
  ]);
  await world.send(route, 2);
  await world.settled(route, 3);
  expect((await world.deadLetters(route)).map(({ reason }) => reason)).toEqual(['REFUSED', 'ROUTE_DISABLED']);
  expect(hook.received.length).toBe(2);
});

test('other 4xx are dead letters at once; 408, 425 and 429 are tried again', async () => {
  await using world = await startDeliveryWorld({ tuning: quick });
  const seen = new Set<string>();
  using hook = startReceiver(({ path, id }) => {
    const code = Number(path.slice(1));
    const isFirst = !seen.has(id);
    seen.add(id);
    return isFirst ? status(code) : ok();
  });
  world.start();
  for (const code of [400, 401, 403, 404, 409, 413, 422, 451]) {
    const route = await world.addRoute(`r${code}`, {
      kind: 'webhook',
      url: hook.url.replace('hook', `${code}`),
    });
    await world.send(route, code);
    await world.settled(route, 1);
    const [letter] = await world.deadLetters(route);
    expect(letter).toEqual({
      reason: 'REFUSED',
      detail: `answered ${code}: no`,
      attempts: 1,
      route_name: `r${code}`,
    });
  }
  for (const code of [408, 425, 429, 302, 500, 503]) {
    const route = await world.addRoute(`r${code}`, {
      kind: 'webhook',
      url: hook.url.replace('hook', `${code}`),
    });
    await world.send(route, code);
    await world.settled(route, 1);
    expect(await world.totals(route)).toEqual({ delivered: 1, retried: 1, dead: 0, waiting: 0 });
  }
});

test('destinations that never answer, are dead, or fail hold up no other route', async () => {
  await using world = await startDeliveryWorld({
    tuning: { ...quick, breaker: { failures: 5, baseMs: 200, maxMs: 1_000 } },
    timeoutMs: 1_000,
  });
  using hanging = startReceiver(never);
  using failing = startReceiver(() => status(500));
  using healthy = startReceiver(ok);
  const dead = startReceiver(ok);
  dead[Symbol.dispose]();
  const bad = await Promise.all(
    [hanging, failing, dead].flatMap(({ url }, index) =>
      ['t1', 't2'].map(async (tenantId) => ({
        tenantId,
        route: await world.addRoute(`bad${index}`, { kind: 'webhook', url }, { tenantId }),
      })),
    ),
  );
  const good = await world.addRoute('good', { kind: 'webhook', url: healthy.url });
  world.start();
  // Ahead of all that is good.
  for (const { route, tenantId } of bad) {
    await Promise.all(Array.from({ length: 300 }, (_, n) => world.send(route, n, tenantId)));
  }
  await Promise.all(Array.from({ length: 300 }, (_, n) => world.send(good, n)));
  await world.settled(good, 300, 40_000);
  for (const { route } of bad) expect((await world.totals(route)).delivered).toBe(0);
  await until(async () => (await world.onStream()).messages === 0, { what: 'ROUTES is empty' });
});

test('what cannot be delivered in its time is given up, with the last error', async () => {
  let nowMs = Date.now();
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) });
  await using world = await startDeliveryWorld({ tuning: quick, wallClock: () => nowMs, log });
  using hook = startReceiver(() => status(500));
  const route = await world.addRoute('never', { kind: 'webhook', url: hook.url });
  world.start();
  await world.send(route, 0);
  await until(async () => (await world.totals(route)).retried >= 2, { what: 'two attempts' });
  expect(await world.deadLetters(route)).toEqual([]);
  nowMs += quick.retry.retryForMs;
  await world.settled(route, 1);
  const [letter] = await world.deadLetters(route);
  expect(letter).toMatchObject({
    reason: 'GAVE_UP',
    detail: 'answered 500: no',
    attempts: hook.received.length,
  });
  expect(deliveryDefaults.retry.retryForMs).toBeGreaterThanOrEqual(24 * 3_600_000);
  // Each says which message it was, and not where it should have gone.
  const about = {
    tenantId: 't1',
    routeId: route,
    jobs: 1,
    identity: expect.stringMatching(/^[0-9a-f]{32}$/),
  };
  await until(() => lines.some(({ event }) => event === 'job_given_up'), { what: 'the log says so' });
  const retried = lines.filter(({ event }) => event === 'job_retried');
  expect(retried.length).toBeGreaterThanOrEqual(2);
  expect(JSON.stringify(lines)).not.toContain(hook.url);
  expect(retried[0]).toMatchObject(about);
  const givenUp = lines.filter(({ event }) => event === 'job_given_up');
  expect(givenUp).toEqual([expect.objectContaining({ ...about, reason: 'GAVE_UP' })]);
});

test('jobs of a route that is disabled or removed while they wait become dead letters', async () => {
  await using world = await startDeliveryWorld({
    tuning: { ...quick, retry: { ...quick.retry, baseMs: 600_000, maxMs: 600_000 } },
  });
  using hook = startReceiver(() => status(503));
  const routes = await Promise.all(
    ['disabled', 'removed'].map((name) => world.addRoute(name, { kind: 'webhook', url: hook.url })),
  );
  world.start();
  for (const route of routes) {
    await world.send(route, 0);
    await until(async () => (await world.totals(route)).waiting === 1, { what: 'the job waits' });
  }
  await world.pool.query('update routes set enabled = false where route_id = $1', [routes[0]]);
  await world.pool.query('delete from routes where route_id = $1', [routes[1]]);
  for (const route of routes) await world.settled(route, 1);
  const letters = await Promise.all(routes.map((route) => world.deadLetters(route)));
  expect(letters.flat().map(({ reason }) => reason)).toEqual(['ROUTE_DISABLED', 'ROUTE_REMOVED']);
});

test('more jobs than may wait for one route are given up, and those of others wait on', async () => {
  const retry = { ...quick.retry, baseMs: 600_000, maxMs: 600_000 };
  await using world = await startDeliveryWorld({ tuning: { ...quick, tidyMs: 20, maxWaiting: 30, retry } });
  using hook = startReceiver(() => status(503));
  const [full, other] = await Promise.all(
    ['full', 'other'].map((name) => world.addRoute(name, { kind: 'webhook', url: hook.url })),
  );
  if (full === undefined || other === undefined) throw new Error('no routes');
  world.start();
  await Promise.all(Array.from({ length: 50 }, (_, n) => world.send(full, n)));
  await Promise.all(Array.from({ length: 20 }, (_, n) => world.send(other, n)));
  await until(async () => (await world.totals(full)).dead === 20, { what: 'what is too much is given up' });
  expect(await world.totals(full)).toMatchObject({ dead: 20, waiting: 30, delivered: 0 });
  expect(await world.totals(other)).toMatchObject({ dead: 0, waiting: 20 });
  const [letter] = await world.deadLetters(full);
  expect(letter).toMatchObject({ reason: 'GAVE_UP', detail: expect.stringContaining('more than 30 jobs') });
});

test('an address that is not allowed, reached by its name, is a dead letter and never connected to', async () => {
  await using world = await startDeliveryWorld({ tuning: quick, allowed: '10.0.0.0/8' });
  using hook = startReceiver(ok);
  const url = hook.url.replace('127.0.0.1', 'localhost');
  const route = await world.addRoute('local', { kind: 'webhook', url });
  world.start();
  await world.send(route, 0);
  await world.settled(route, 1);
  expect((await world.deadLetters(route))[0]?.reason).toBe('ADDRESS_REFUSED');
  expect(hook.received).toEqual([]);
});

test('a batch holds as many jobs as it may, and keeps its id and its body over retries and a restart', async () => {
  await using world = await startDeliveryWorld({ tuning: quick });
  let isUp = false;
  using hook = startReceiver(() => (isUp ? ok() : status(500)));
  const secret = newSigningSecret();
  const batch = { max_messages: 20, max_wait_ms: 100 };
  const route = await world.addRoute(
    'batch',
    { kind: 'webhook', url: hook.url, batch },
    { secrets: { signing_secrets: [secret] } },
  );
  const first = world.start();
  const ids = await Promise.all(Array.from({ length: 50 }, (_, n) => world.send(route, n)));
  await until(() => new Set(hook.received.map(({ id }) => id)).size === 3, {
    what: 'three batches were tried',
  });
  await first.drain();
  isUp = true;
  world.start();
  await world.settled(route, 50);
  const bodies = new Map<string, Set<string>>();
  for (const { id, text, headers } of hook.received) {
    bodies.set(id, (bodies.get(id) ?? new Set()).add(text));
    expect(() => new Webhook(secret).verify(text, headers)).not.toThrow();
  }
  expect([...bodies.values()].map((texts) => texts.size)).toEqual([1, 1, 1]);
  const jobs = [...bodies.values()].flatMap((texts) =>
    [...texts].flatMap((text) => (JSON.parse(text) as { data: { data: { job_id: string } }[] }).data),
  );
  expect(jobs.map(({ data }) => data.job_id).sort()).toEqual(ids.sort());
  expect(await world.totals(route)).toMatchObject({ delivered: 50, dead: 0, waiting: 0 });
});
