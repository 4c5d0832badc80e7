import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

interface SignedIn {
  readonly cookie: string;
  readonly csrf: string;
}

async function signIn(key: string, headers: Record<string, string> = {}): Promise<SignedIn> {
  const answer = await world.call('POST', '/session', { body: { key }, headers });
  expect(answer.status).toBe(200);
  const cookie = answer.headers.get('Set-Cookie')?.split(';')[0] ?? '';
  return { cookie, csrf: (answer.json as { csrf: string }).csrf };
}

const add = (device_id: string, headers: Record<string, string>) =>
  world.call('POST', '/tenants/own/devices', { headers, body: { device_id, site_id: 's1' } });

test('a session reads with its cookie alone, and changes only from our own page', async () => {
  const { cookie, csrf } = await signIn(world.keys.write);
  const own = { Cookie: cookie, 'X-CSRF-Token': csrf };
  const shown = await world.call('GET', '/session', { headers: { Cookie: cookie } });
  expect(shown.json).toMatchObject({ operator: false, tenant_id: 'own', level: 'write', csrf });
  for (const headers of [
    { Cookie: cookie, Origin: 'http://console.test' },
    { ...own, 'X-CSRF-Token': `${csrf}x`, Origin: 'http://console.test' },
    own,
    { ...own, Origin: 'http://elsewhere.test' },
    { ...own, Origin: 'null' },
    { ...own, 'Sec-Fetch-Site': 'same-site', Origin: 'http://console.test' },
  ]) {
    const refused = await add('by-cookie', headers);
    expect([headers, refused.status]).toEqual([headers, 403]);
    expect(refused.json).toMatchObject({ type: 'urn:tributary:problem:cross-site' });
  }
  expect((await add('by-cookie', { ...own, Origin: 'http://console.test' })).status).toBe(201);
  expect((await add('by-cookie-2', { ...own, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(201);
});

test('the cookie is kept from scripts and other sites, and is Secure where TLS is', async () => {
  const given = async (from: World, headers: Record<string, string>) =>
    (await from.call('POST', '/session', { body: { key: from.keys.read }, headers })).headers.get(
      'Set-Cookie',
    );
  const behindTls = { 'X-Forwarded-Proto': 'https' };
  const plain = await given(world, behindTls);
  expect(plain).toContain('HttpOnly; SameSite=Strict; Max-Age=43200');
  expect(plain).not.toContain('Secure');
  const trusting = await createWorld({ trustProxy: true });
  try {
    expect(await given(trusting, behindTls)).toEndWith('; Secure');
    expect(await given(trusting, { 'X-Forwarded-Proto': 'https, http' })).not.toContain('Secure');
  } finally {
    await trusting.close();
  }
});

test('over TLS a host beside ours can plant no session of its own, and of two cookies none counts', async () => {
  const trusting = await createWorld({ trustProxy: true });
  try {
    const tls = { 'X-Forwarded-Proto': 'https' };
    const opened = await trusting.call('POST', '/session', {
      body: { key: trusting.keys.read },
      headers: tls,
    });
    const cookie = opened.headers.get('Set-Cookie')?.split(';')[0] ?? '';
    expect(cookie).toStartWith('__Host-tributary_session=');
    const secret = cookie.slice(cookie.indexOf('=') + 1);
    const statusWith = async (sent: string, headers: Record<string, string>) =>
      (await trusting.call('GET', '/session', { headers: { Cookie: sent, ...headers } })).status;
    expect(await statusWith(cookie, tls)).toBe(200);
    expect(await statusWith(`tributary_session=${secret}`, tls)).toBe(401);
    expect(await statusWith(`tributary_session=${secret}`, {})).toBe(200);
    expect(await statusWith(`tributary_session=${'x'.repeat(43)}; tributary_session=${secret}`, {})).toBe(
      401,
    );
    const out = await trusting.call('DELETE', '/session', {
      headers: {
        Cookie: cookie,
        'X-CSRF-Token': (opened.json as { csrf: string }).csrf,
        'Sec-Fetch-Site': 'same-origin',
        ...tls,
      },
    });
    expect(out.headers.get('Set-Cookie')).toStartWith('__Host-tributary_session=; Path=/;');
    expect(out.headers.get('Set-Cookie')).toEndWith('; Secure');
  } finally {
    await trusting.close();
  }
});

test('another site’s page cannot sign a browser in', async () => {
  const headers = { Origin: 'http://elsewhere.test' };
  const answer = await world.call('POST', '/session', { body: { key: world.keys.read }, headers });
  expect(answer.status).toBe(403);
});

test('signing out ends the session at once', async () => {
  const { cookie, csrf } = await signIn(world.keys.read);
  const headers = { Cookie: cookie, 'X-CSRF-Token': csrf, 'Sec-Fetch-Site': 'same-origin' };
  expect((await world.call('DELETE', '/session', { headers })).status).toBe(204);
  expect((await world.call('GET', '/session', { headers })).status).toBe(401);
});

test('a session ends with its time, and with its key', async () => {
  const { cookie } = await signIn(world.keys.admin);
  const status = async () => (await world.call('GET', '/session', { headers: { Cookie: cookie } })).status;
  expect(await status()).toBe(200);
  const set = (what: string) => world.pool.query(`update tenant_keys set ${what} where level = 'admin'`);
  await set('revoked_at = now()');
  expect(await status()).toBe(401);
  expect((await world.call('GET', '/session', { key: 'admin' })).status).toBe(401);
  await set(`revoked_at = null, expires_at = now() - interval '1 second'`);
  expect(await status()).toBe(401);
  expect((await world.call('GET', '/session', { key: 'admin' })).status).toBe(401);
  await set('expires_at = null');
  expect(await status()).toBe(200);
  await world.pool.query('update console_sessions set expires_at = now()');
  expect(await status()).toBe(401);
});

test('neither session nor key lies in the database', async () => {
  const { cookie, csrf } = await signIn(world.keys.read);
  const { rows } = await world.pool.query(
    `select coalesce(string_agg(s::text, ' '), '') || (select string_agg(k::text, ' ') from tenant_keys k) as all
     from console_sessions s`,
  );
  const text = String(rows[0].all);
  for (const secret of [cookie.split('=')[1] ?? '', csrf, world.keys.read]) {
    expect(secret.length).toBeGreaterThan(40);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString('hex'));
  }
});

test('attempts without a valid key are bounded for each address, and calls for each key', async () => {
  const slow = { ratePerSecond: 0.5, burst: 2 };
  const bounded = await createWorld({ apiRate: slow, signInRate: slow, now: () => 0 });
  try {
    const attempt = (address: string) =>
      bounded.call('POST', '/session', { body: { key: 'wrong' }, address });
    const attempts = [await attempt('a'), await attempt('a'), await attempt('a')];
    expect(attempts.map(({ status }) => status)).toEqual([401, 401, 429]);
    const refused = await bounded.call('GET', '/tenants/own', {
      headers: { Authorization: 'Bearer x' },
      address: 'a',
    });
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '2']);
    expect((await attempt('b')).status).toBe(401);
    const ask = (key: 'read' | 'write') => bounded.call('GET', '/tenants/own', { key, address: 'a' });
    const statuses = [await ask('read'), await ask('read'), await ask('read'), await ask('write')];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429, 200]);
  } finally {
    await bounded.close();
  }
});

test('every change has its row in the audit log, without the token', async () => {
  const token = 'a-token-that-nobody-may-read';
  const answer = await world.call('POST', '/tenants/own/devices', {
    key: 'write',
    body: { device_id: 'audited', site_id: 's1', token, burst: 5 },
  });
  expect(answer.json).toMatchObject({ device_id: 'audited', has_token: true, token, burst: 5 });
  const { rows } =
    await world.pool.query(`select actor_kind, actor_name, tenant_id, action, target, detail::text
    from audit_log where target = 'audited'`);
  expect(rows).toEqual([
    {
      actor_kind: 'tenant',
      actor_name: 'write',
      tenant_id: 'own',
      action: 'device.create',
      target: 'audited',
      detail: '{"burst": 5, "site_id": "s1", "device_id": "audited"}',
    },
  ]);
});

test('a change that fails leaves no row in the audit log', async () => {
  const body = { device_id: 'own-1', site_id: 's1' };
  const answer = await world.call('POST', '/tenants/own/devices', { key: 'write', body });
  expect(answer.status).toBe(409);
  expect(answer.json).toMatchObject({ title: 'Conflict', type: 'urn:tributary:problem:conflict' });
  const { rowCount } = await world.pool.query(
    `select from audit_log where target = 'own-1' and action <> 'test.fill'`,
  );
  expect(rowCount).toBe(0);
});

const wrong = [
  [
    'a field that is not documented',
    { device_id: 'x', site_id: 's', extra: 1 },
    'extra: there is no such field',
  ],
  ['a field that is missing', { device_id: 'x' }, 'site_id: is missing'],
  ['a value that is not allowed', { device_id: 'x y', site_id: 's' }, 'device_id: "x y" must match'],
  ['a type that is not', { device_id: 'x', site_id: 7 }, 'site_id: 7 must be string'],
  [
    'a number that a double cannot hold',
    '{"device_id":"x","site_id":"s","burst":12345678901234567890}',
    'burst: ',
  ],
  ['a NUL character', { device_id: 'x', site_id: 'a\0b' }, 'site_id: holds a NUL character'],
  ['a lone surrogate', '{"device_id":"x","site_id":"\\ud800"}', 'site_id: holds a lone surrogate'],
  ['what is not JSON', '{"device_id":', 'The body is not JSON'],
  ['what nests too deep', '['.repeat(100_000), 'The body is not JSON of at most 32 levels'],
  ['a prototype', '{"device_id":"x","site_id":"s","__proto__":{"burst":1}}', 'there is no such field'],
] as const;

test.each(wrong)('a body with %s is refused by name', async (_what, body, detail) => {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await world.call('POST', '/tenants/own/devices', { key: 'write', body, headers });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
  expect((answer.json as { detail: string }).detail).toContain(detail);
});

test('a token that is refused is not repeated', async () => {
  const body = { device_id: 'x', site_id: 's', token: 'S'.repeat(600) };
  const answer = await world.call('POST', '/tenants/own/devices', { key: 'write', body });
  expect([answer.status, answer.text.includes('SSS')]).toEqual([400, false]);
});

test('the secrets of a route are not repeated, however deep they lie', async () => {
  const long = 'S'.repeat(1_100);
  const secrets = [
    { signing_secret: long },
    { password: long },
    { password: 7 },
    { headers: { 'X-Key': long } },
  ];
  const destination = { kind: 'webhook', url: 'https://example.org/hook' };
  for (const each of [...secrets, [long]]) {
    const body = { name: 'r', destination, secrets: each };
    const answer = await world.call('POST', '/tenants/own/routes', { key: 'write', body });
    expect([answer.status, answer.text.includes('SSS'), answer.text.includes('(secret)')]).toEqual([
      400,
      false,
      true,
    ]);
  }
});

test('an answer is kept by nobody however its path is spelt', async () => {
  for (const path of ['/api/v1/session', '/%61pi/v1/session', '/api/v1/%73ession', '/%61pi/v1/tenants/own']) {
    const request = new Request(`http://console.test${path}`, {
      headers: { Authorization: `Bearer ${world.keys.read}` },
    });
    const { headers } = await world.console.fetch(request, '192.0.2.1');
    expect([headers.get('Cache-Control'), headers.get('X-Content-Type-Options')]).toEqual([
      'no-store',
      'nosniff',
    ]);
  }
});

const queries = [
  ['limit=0', 'limit: 0 must be >= 1'],
  ['limit=1e3', 'limit: "1e3" must be integer'],
  ['limit=1&limit=2', 'is given 2 times'],
  ['nonsense=1', '"nonsense": there is no such parameter'],
  ['__proto__=1', 'there is no such parameter'],
  ['revoked=maybe', 'revoked: "maybe" must be boolean'],
  ['cursor=x', 'cursor: is none that this list gave'],
  ['search=%00', 'search: holds a NUL character'],
] as const;

test.each(queries)('the query %s is refused by name', async (query, detail) => {
  const answer = await world.call('GET', `/tenants/own/devices?${query}`, { key: 'read' });
  expect(answer.status).toBe(400);
  expect((answer.json as { detail: string }).detail).toContain(detail);
});

test('a body that is too long or of another type is refused', async () => {
  const post = (body: string, type: string) =>
    world.call('POST', '/tenants/own/devices', { key: 'write', body, headers: { 'Content-Type': type } });
  expect((await post(' '.repeat(1024 * 1024 + 1), 'application/json')).status).toBe(413);
  expect((await post('{}', 'text/plain')).status).toBe(415);
});

test('other methods and paths are told so', async () => {
  const put = await world.call('PUT', '/tenants/own/devices', { key: 'write' });
  expect([put.status, put.headers.get('Allow')]).toEqual([405, 'GET, POST, HEAD']);
  expect((await world.call('GET', '/nothing', { key: 'operator' })).status).toBe(404);
  expect((await world.call('HEAD', '/tenants/own', { key: 'read' })).status).toBe(200);
});

test('a list is walked page by page, each device once', async () => {
  const seen: string[] = [];
  let query = 'limit=2';
  for (;;) {
    const answer = await world.call('GET', `/tenants/own/devices?${query}`, { key: 'read' });
    const page = answer.json as { items: { device_id: string }[]; next: string | null };
    seen.push(...page.items.map(({ device_id }) => device_id));
    if (page.next === null) break;
    query = `limit=2&cursor=${page.next}`;
  }
  const { rows } = await world.pool.query(
    `select device_id from devices where tenant_id = 'own' order by device_id`,
  );
  expect(seen).toEqual(rows.map(({ device_id }) => device_id));
  expect(seen.length).toBeGreaterThan(2);
});

test('HEAD of a live stream opens none', async () => {
  const before = (await world.metrics()).includes('tributary_console_streams_under_way 0');
  const answer = await world.call('HEAD', '/tenants/own/overview/live', { key: 'read' });
  expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, 'text/event-stream']);
  expect([before, (await world.metrics()).includes('tributary_console_streams_under_way 0')]).toEqual([
    true,
    true,
  ]);
});
