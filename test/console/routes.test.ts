import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { RouteService } from '../../src/console/route-service.ts';
import { openRouteSecrets } from '../../src/model/route-secrets.ts';
import { aRoute, webhook } from './operation-examples/routes.ts';
import { type CallOptions, createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const own = '/tenants/own/routes';
const call = (method: string, path: string, body?: unknown, more: CallOptions = {}) =>
  world.call(method, path, { key: 'write', ...(body === undefined ? {} : { body }), ...more });
const secretsOf = async (name: string) => {
  const { rows } = await world.pool.query<{ secrets: Buffer | null }>(
    `select secrets from routes where tenant_id = 'own' and name = $1`,
    [name],
  );
  const sealed = rows[0]?.secrets;
  return sealed == null ? undefined : openRouteSecrets(sealed, Buffer.alloc(32, 7), 'own', name);
};

test('a signing secret is made and shown once, kept sealed, and is in no other answer and no audit row', async () => {
  const secrets = { headers: { authorization: 'Bearer of-theirs' } };
  const made = await call('POST', own, { name: 'signed', destination: webhook, secrets });
  const { signing_secret: secret } = made.json as { signing_secret: string };
  expect(secret).toMatch(/^whsec_/);
  expect(await secretsOf('signed')).toEqual({ signing_secrets: [secret], ...secrets });
  const rotated = (await call('POST', `${own}/signed/rotate-secret`)).json as {
    signing_secret: string;
    signing_secrets: number;
  };
  expect(rotated.signing_secrets).toBe(2);
  expect((await secretsOf('signed'))?.signing_secrets).toEqual([rotated.signing_secret, secret]);
  const answers = [
    await call('GET', `${own}/signed`),
    await call('GET', own),
    await call('PATCH', `${own}/signed`, { condition: 'metrics.temp > 1.0' }),
    await call('POST', `${own}/signed/test`, { show: 5 }),
    await call('POST', `${own}/signed/rotate-secret?finish=true`),
  ];
  const { rows } = await world.pool.query<{ log: string }>(
    'select json_agg(a)::text as log from audit_log a',
  );
  for (const text of [...answers.map((each) => each.text), rows[0]?.log ?? '']) {
    for (const hidden of [secret, rotated.signing_secret, 'of-theirs']) expect(text).not.toContain(hidden);
  }
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect((await secretsOf('signed'))?.signing_secrets).toEqual([rotated.signing_secret]);
  expect(answers[3]?.json).toMatchObject({ looked_at: 1, matched: 1 });
  expect(answers[3]?.text).toContain('webhook-signature');
});

test('what is wrong is told with its field and place', async () => {
  const refusals: readonly (readonly [object, string, number | undefined])[] = [
    [{ condition: 'metrics.temp >> 3' }, 'condition', 14],
    [{ topic_filter: 'tenant/own/de+vice/#' }, 'topic_filter', 13],
    [{ destination: { kind: 'nats', subject: 'elsewhere.x' } }, 'destination', undefined],
    [{ destination: { kind: 'mqtt', topic: 'tenant/own/out/{what}' } }, 'destination', 15],
    [{ secrets: { signing_secret: 'short' } }, 'secrets', undefined],
    [{ secrets: { password: 'of a broker' } }, 'secrets', undefined],
  ];
  for (const [more, field, position] of refusals) {
    const { status, json } = await call('POST', own, { name: 'wrong', destination: webhook, ...more });
    expect({ status, json }).toMatchObject({ status: 400, json: { field } });
    expect((json as { position?: number }).position).toBe(position);
  }
  expect((await call('GET', `${own}/wrong`)).status).toBe(404);
});

test('a change keeps what it does not name; another kind of destination has secrets of its own', async () => {
  const name = await aRoute(world, { condition: 'metrics.temp > 1.0', rate_per_second: 3 });
  const changed = await call('PATCH', `${own}/${name}`, {
    destination: { kind: 'mqtt', url: 'mqtt://192.0.2.7', topic: 'x' },
    secrets: { password: 'hush' },
  });
  expect(changed.json).toMatchObject({
    condition: 'metrics.temp > 1.0',
    rate_per_second: 3,
    has_secrets: true,
    destination: { kind: 'mqtt', topic: 'x' },
    note: expect.stringContaining('192.0.2.7'),
  });
  expect(await secretsOf(name)).toEqual({ password: 'hush' });
  expect((await call('POST', `${own}/${name}/rotate-secret`)).status).toBe(409);
  await call('PATCH', `${own}/${name}`, { secrets: { password: null } });
  expect(await secretsOf(name)).toBeUndefined();
  const back = await call('PATCH', `${own}/${name}`, { destination: webhook });
  expect(back.json).toMatchObject({ signing_secret: expect.stringMatching(/^whsec_/) });
});

test('stored headers and passwords are not sent to another place than they were given for', async () => {
  const [here, there] = ['https://own.example:8443/hook', 'https://elsewhere.example:8443/hook'];
  const destination = (url: string) => ({ kind: 'webhook', url });
  const headers = { authorization: 'Bearer of-theirs' };
  await call('POST', own, { name: 'moving', destination: destination(here), secrets: { headers } });
  const before = await secretsOf('moving');
  for (const url of [there, here.replace('8443', '8444'), here.replace('https', 'http')]) {
    const { status, json } = await call('PATCH', `${own}/moving`, { destination: destination(url) });
    expect([status, json]).toMatchObject([400, { field: 'secrets' }]);
  }
  expect((await call('GET', `${own}/moving`)).json).toMatchObject({ destination: { url: here } });
  const path = await call('PATCH', `${own}/moving`, { destination: destination(`${here}/2?a=b`) });
  expect(path.status).toBe(200);
  expect(await secretsOf('moving')).toEqual(before);
  const anew = { headers: { authorization: 'Bearer of-elsewhere' } };
  const moved = await call('PATCH', `${own}/moving`, { destination: destination(there), secrets: anew });
  expect(moved.status).toBe(200);
  expect(await secretsOf('moving')).toEqual({ ...before, ...anew });
  const mqtt = (url: string) => ({ kind: 'mqtt', url, topic: 'x' });
  await call('POST', own, {
    name: 'broker',
    destination: mqtt('mqtts://a.example'),
    secrets: { password: 'p' },
  });
  const refused = await call('PATCH', `${own}/broker`, { destination: mqtt('mqtts://b.example') });
  expect(refused.json).toMatchObject({ field: 'secrets' });
  const without = { destination: mqtt('mqtts://b.example'), secrets: { password: null } };
  expect((await call('PATCH', `${own}/broker`, without)).status).toBe(200);
  expect(await secretsOf('broker')).toBeUndefined();
});

test('a route is turned off and on, exists once, and is removed; each change has its row', async () => {
  const name = await aRoute(world);
  expect((await call('POST', own, { name, destination: webhook })).status).toBe(409);
  expect((await call('POST', `${own}/${name}/disable`)).json).toMatchObject({ enabled: false });
  expect((await call('POST', `${own}/${name}/enable`)).json).toMatchObject({ enabled: true });
  expect((await call('DELETE', `${own}/${name}`)).status).toBe(204);
  expect((await call('DELETE', `${own}/${name}`)).status).toBe(404);
  const { rows } = await world.pool.query<{ action: string }>(
    'select action from audit_log where target = $1 order by entry_id',
    [name],
  );
  expect(rows.map(({ action }) => action)).toEqual([
    'route.create',
    'route.disable',
    'route.enable',
    'route.delete',
  ]);
});

test('the counters are the route’s own, and pages go by name', async () => {
  const [first, second] = [await aRoute(world), await aRoute(world)];
  await world.pool.query(
    `insert into route_totals (route_id, shard, tenant_id, matched, delivered, dead)
     select route_id, 0, 'own', 10, 7, 1 from routes where tenant_id = 'own' and name = $1`,
    [first],
  );
  expect((await call('GET', `${own}/${first}`)).json).toMatchObject({
    state: { matched: 10, delivered: 7, dead: 1, in_routes: 2, waiting: 2, held: 0, last_error: null },
  });
  const names: string[] = [];
  for (let cursor = ''; ; ) {
    const page = (await call('GET', `${own}?limit=2${cursor}`)).json as {
      items: { name: string }[];
      next: string | null;
    };
    names.push(...page.items.map(({ name }) => name));
    if (page.next === null) break;
    cursor = `&cursor=${page.next}`;
  }
  expect(names).toEqual([...new Set(names)].sort());
  expect(names).toContain(second);
});

test('a route says whether delivery leaves its destination alone; null where NATS is away', async () => {
  const name = await aRoute(world);
  expect((await call('GET', `${own}/${name}`)).json).toMatchObject({ destination_state: null });
  const asked: unknown[] = [];
  await withOther(
    async (other) => {
      const shown = await other.call('GET', `${own}/${await aRoute(other)}`, { key: 'read' });
      expect(shown.json).toMatchObject({
        destination_state: { delivery_processes: 2, left_alone_by: 1, failures: 7, tried_in_ms: 900 },
      });
    },
    {
      placeState: async (...about) => {
        asked.push(about);
        return { processes: 2, leftAloneBy: 1, failures: 7, triedInMs: 900 };
      },
    },
  );
  expect(asked).toEqual([['own', webhook]]);
});

test('without a key nothing is sealed, and it is said which key is missing', async () => {
  await withOther(
    async (keyless) => {
      const answer = await keyless.call('POST', own, {
        key: 'write',
        body: { name: 'x', destination: webhook },
      });
      expect(answer).toMatchObject({
        status: 409,
        json: { detail: expect.stringContaining('TRIBUTARY_SECRETS_KEY') },
      });
      const body = { name: 'x', destination: webhook, secrets: { unsigned: true } };
      expect((await keyless.call('POST', own, { key: 'write', body })).status).toBe(201);
    },
    { secretsKey: undefined },
  );
});

/** With a world of its own whose route service differs. */
async function withOther(
  work: (other: World) => Promise<void>,
  changes: Partial<RouteService>,
): Promise<void> {
  const other = await createWorld({
    services: (services) => ({ ...services, routes: { ...services.routes, ...changes } }),
  });
  await work(other).finally(() => other.close());
}
