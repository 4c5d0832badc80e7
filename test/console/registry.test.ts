import { afterAll, beforeAll, expect, test } from 'bun:test';
import { hashToken } from '../../src/model/token.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

async function json(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const options = { key: 'admin', ...(body === undefined ? {} : { body }) } as const;
  const answer = await world.call(method, path, options);
  expect(`${answer.status} ${answer.text}`).toMatch(/^20\d /);
  return answer.json as Record<string, unknown>;
}

async function hashesOf(deviceId: string): Promise<(Buffer | null)[]> {
  const { rows } = await world.pool.query(
    `select token_sha256, previous_token_sha256 from devices where tenant_id = 'own' and device_id = $1`,
    [deviceId],
  );
  return [rows[0]?.token_sha256, rows[0]?.previous_token_sha256];
}

test('an import registers what it can, says what it cannot by line, and shows new tokens once', async () => {
  const csv = [
    'device_id,site_id,token,tenant_id',
    'in-1,s1,,',
    'in-2,"s, 2",mine-2,own',
    'bad id,s1,,',
    'in-1,s1,,',
    'in-3,s1,,foreign',
    'own-1,moved,,',
  ].join('\n');
  const send = (query: string) =>
    world.call('POST', `/tenants/own/devices/import${query}`, {
      key: 'write',
      body: csv,
      headers: { 'Content-Type': 'text/csv' },
    });
  const first = (await send('')).json as Record<string, unknown>;
  expect(first).toMatchObject({ added: 2, updated: 0, unchanged: 1, failed_count: 3 });
  const failed = first.failed as { line: number; reason: string }[];
  expect(failed.map(({ line }) => line)).toEqual([4, 5, 6]);
  expect(failed.map(({ reason }) => reason).join('\n')).toMatch(/bad id.*line 2 already.*foreign/s);
  const [head, row, ...rest] = String(first.tokens).trim().split('\n');
  expect([head, rest]).toEqual(['device_id,site_id,token', []]);
  expect(await hashesOf('in-1')).toEqual([hashToken(row?.split(',')[2] ?? ''), null]);
  expect(await hashesOf('in-2')).toEqual([hashToken('mine-2'), null]);
  expect((await json('GET', '/tenants/own/devices/own-1')).site_id).toBe('plain');
  const again = (await send('?update=true')).json as Record<string, unknown>;
  expect(again).toMatchObject({ added: 0, updated: 1, unchanged: 2, tokens: null });
  expect((await json('GET', '/tenants/own/devices/own-1')).site_id).toBe('moved');
  const { rowCount } = await world.pool.query(`select from devices where tenant_id = 'foreign'`);
  expect(rowCount).toBe(1);
});

test('a file that cannot be read is refused whole', async () => {
  for (const body of ['', 'device_id\nx\n', 'device_id,site_id,nonsense\n', 'device_id,site_id\n"x,s\n']) {
    const headers = { 'Content-Type': 'text/csv' };
    const answer = await world.call('POST', '/tenants/own/devices/import', { key: 'write', body, headers });
    expect([body, answer.status]).toEqual([body, body === '' ? 200 : 400]);
  }
});

test('a rotated token is shown once, and the old one lasts for the grace', async () => {
  await json('POST', '/tenants/own/devices', { device_id: 'turn', site_id: 's', token: 'first' });
  const second = await json('POST', '/tenants/own/devices/turn/rotate', { grace_ms: 60_000 });
  expect(second.previous_token_until).toBeString();
  expect(await hashesOf('turn')).toEqual([hashToken(String(second.token)), hashToken('first')]);
  const third = await json('POST', '/tenants/own/devices/turn/rotate');
  expect(third.previous_token_until).toBeNull();
  expect(await hashesOf('turn')).toEqual([hashToken(String(third.token)), null]);
});

test('revoking and reinstating are told by the device, and kept in its tenant’s audit log', async () => {
  await json('POST', '/tenants/own/devices', { device_id: 'gone', site_id: 's' });
  expect((await json('POST', '/tenants/own/devices/gone/revoke')).revoked_at).toBeString();
  expect((await json('GET', '/tenants/own/devices?revoked=true')).items).toMatchObject([
    { device_id: 'gone' },
  ]);
  expect((await json('POST', '/tenants/own/devices/gone/reinstate')).revoked_at).toBeNull();
  const log = await json('GET', '/tenants/own/audit-log?limit=2');
  expect(log.items).toMatchObject([
    { action: 'device.reinstate', target: 'gone', actor_kind: 'tenant', actor_name: 'admin' },
    { action: 'device.revoke', target: 'gone' },
  ]);
});

test('limits that are null go back to the default, those that are absent stay', async () => {
  await json('POST', '/tenants/own/devices', { device_id: 'lim', site_id: 's', burst: 7, max_sensors: 3 });
  expect(
    await json('PATCH', '/tenants/own/devices/lim', { burst: null, rate_per_second: 2.5 }),
  ).toMatchObject({
    burst: null,
    rate_per_second: 2.5,
    max_sensors: 3,
    site_id: 's',
  });
});

test('a device is deleted with its data or without', async () => {
  const telemetry = async () =>
    (await world.pool.query(`select from telemetry where tenant_id = 'own' and device_id = 'own-1'`))
      .rowCount;
  expect(await json('DELETE', '/tenants/own/devices/own-1')).toEqual({ registered: true, telemetry_rows: 0 });
  expect(await telemetry()).toBe(1);
  expect(await json('DELETE', '/tenants/own/devices/own-1?with_data=true')).toEqual({
    registered: false,
    telemetry_rows: 1,
  });
  expect(await telemetry()).toBe(0);
  const again = await world.call('DELETE', '/tenants/own/devices/own-1?with_data=true', { key: 'write' });
  expect(again.status).toBe(404);
});

test('a key is shown once, works by its level, and ends when it is revoked', async () => {
  const made = await json('POST', '/tenants/own/keys', { name: 'dash', level: 'read' });
  const headers = { Authorization: `Bearer ${made.key}` };
  expect((await world.call('GET', '/tenants/own', { headers })).status).toBe(200);
  expect((await world.call('GET', '/tenants/own/keys', { headers })).status).toBe(403);
  expect(JSON.stringify(await json('GET', '/tenants/own/keys'))).not.toContain(String(made.key));
  const twice = await world.call('POST', '/tenants/own/keys', {
    key: 'admin',
    body: { name: 'dash', level: 'read' },
  });
  expect(twice.status).toBe(409);
  await json('DELETE', `/tenants/own/keys/${made.key_id}`);
  expect((await world.call('GET', '/tenants/own', { headers })).status).toBe(401);
  // The name is free again.
  await json('POST', '/tenants/own/keys', { name: 'dash', level: 'write' });
});

test('another tenant’s key cannot be revoked by its number', async () => {
  const { rows } = await world.pool.query(`select key_id from tenant_keys where tenant_id = 'foreign'`);
  const path = `/tenants/own/keys/${rows[0].key_id}`;
  expect((await world.call('DELETE', path, { key: 'admin' })).status).toBe(404);
  expect((await world.call('GET', '/tenants/foreign', { key: 'foreign' })).status).toBe(200);
});

test('a tenant with devices is deleted with its data only, and leaves nothing but its audit log', async () => {
  const remove = (query: string) => world.call('DELETE', `/tenants/foreign${query}`, { key: 'operator' });
  expect((await remove('')).status).toBe(409);
  expect((await remove('?with_data=true')).json).toEqual({ telemetry_rows: 1 });
  const { rows: columns } = await world.pool.query(`select table_name from information_schema.columns
    join information_schema.tables using (table_schema, table_name)
    where column_name = 'tenant_id' and table_schema = 'public' and table_type = 'BASE TABLE'
      and table_name not in ('audit_log', 'registry_tombstones', 'route_tombstones') order by 1`);
  expect(columns.length).toBeGreaterThan(10);
  for (const { table_name } of columns) {
    const { rowCount } = await world.pool.query(`select from ${table_name} where tenant_id = 'foreign'`);
    expect([table_name, rowCount]).toEqual([table_name, 0]);
  }
  const { rows } = await world.pool.query(
    `select action from audit_log where tenant_id = 'foreign' order by entry_id`,
  );
  expect(rows.map(({ action }) => action)).toEqual(['test.fill', 'tenant.delete_data', 'tenant.delete']);
});

test('the status of a device is kept as it changes, whoever changes it', async () => {
  await json('POST', '/tenants/own/devices', { device_id: 'state', site_id: 's' });
  const at = (time: string) => `2026-11-24T${time}:00.000000Z`;
  await world.pool.query(`insert into device_state values ('own', 'state', $1, 'telemetry', 'ONLINE', $1)`, [
    at('10:00'),
  ]);
  const set = (status: string, since: string) =>
    world.pool.query(
      `update device_state set status = $1, status_since = $2, last_seen_at = $2 where device_id = 'state'`,
      [status, since],
    );
  await set('ONLINE', at('10:01'));
  await set('STALE', at('10:05'));
  await set('OFFLINE', at('10:30'));
  expect((await json('GET', '/tenants/own/devices/state/status-history')).items).toEqual([
    { status: 'OFFLINE', since: at('10:30'), until: null },
    { status: 'STALE', since: at('10:05'), until: at('10:30') },
    { status: 'ONLINE', since: at('10:00'), until: at('10:05') },
  ]);
  const page = await json('GET', '/tenants/own/devices/state/status-history?limit=1');
  expect(
    (await json('GET', `/tenants/own/devices/state/status-history?cursor=${page.next}`)).items,
  ).toHaveLength(2);
});

test('doors are what the settings say, else the request’s host', async () => {
  expect(await json('GET', '/doors')).toEqual({
    http: 'http://console.test:8080',
    mqtt: { host: 'console.test', port: 1883, tls: false },
  });
  const urls = { publicHttpUrl: 'https://in.example.org/', publicMqttUrl: 'mqtts://in.example.org' };
  const told = await createWorld({
    services: (services) => ({ ...services, doors: { ...services.doors, ...urls } }),
  });
  try {
    expect((await told.call('GET', '/doors', { key: 'read' })).json).toEqual({
      http: 'https://in.example.org',
      mqtt: { host: 'in.example.org', port: 8883, tls: true },
    });
  } finally {
    await told.close();
  }
});
