import { expect, test } from 'bun:test';
import pg from 'pg';
import type { TenantId } from '../../src/model/identifiers.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { withTenant } from '../../src/store/with-tenant.ts';
import { rejectionOf, withDatabase } from './with-database.ts';

const t1 = 't1' as TenantId;

/** One row of everything for each of two tenants, and quarantined messages of a tenant that could not be read. */
async function fill(pool: pg.Pool): Promise<void> {
  await pool.query(`select ensure_telemetry_partition('2026-11-24')`);
  for (const tenant of ['t1', 't2']) {
    const secret = Buffer.alloc(32, tenant);
    await pool.query('insert into tenants (tenant_id) values ($1)', [tenant]);
    await pool.query(
      `insert into devices (tenant_id, device_id, site_id, token_sha256) values ($1, 'd1', 's1', $2)`,
      [tenant, secret],
    );
    await pool.query(
      `insert into telemetry values ('2026-11-24', gen_random_uuid(), $1, 'd1', 's1', 'telemetry', 1,
         '{"temp": 12345678901234567890.5, "door": "open"}', null, now(), 1, 1)`,
      [tenant],
    );
    await pool.query(`insert into device_state values ($1, 'd1', now(), 'telemetry', 'ONLINE', now())`, [
      tenant,
    ]);
    await pool.query(
      `insert into sensors values ($1, 'd1', 'temp', 'number', '°C', now(), '1', now(), now(), 1)`,
      [tenant],
    );
    await pool.query(
      `insert into tenant_keys (tenant_id, name, level, key_sha256) values ($1, 'k', 'read', $2)`,
      [tenant, secret],
    );
    await pool.query(
      `insert into audit_log (actor_kind, actor_key_id, actor_name, tenant_id, action, target)
       values ('operator', 1, 'op', $1, 'device.create', 'd1')`,
      [tenant],
    );
  }
  await pool.query(`insert into audit_log (actor_kind, actor_key_id, actor_name, action, target)
    values ('operator', 1, 'op', 'operator_key.create', 'x')`);
  await pool.query(`insert into quarantine (reason, detail, tenant_id, subject, arrived_at, envelope, identity,
      identity_kind, stream_epoch, stream_seq)
    select 'TOKEN_INVALID', '', tenant, '', now(), '', gen_random_uuid(), 'x', 1, 1
    from unnest(array['t1', 't2', null]) tenant`);
}

const readable = [
  'telemetry',
  'telemetry_values',
  'sensors',
  'device_state',
  'device_overview',
  'quarantine',
  'tenants',
  'tenant_keys',
  'audit_log',
];

async function tenantsSeen(client: pg.PoolClient): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {};
  for (const table of [...readable, 'devices']) {
    const { rows } = await client.query(`select array_agg(distinct tenant_id) as tenants from ${table}`);
    seen[table] = rows[0].tenants;
  }
  return seen;
}

const onlyOf = (tenants: unknown) =>
  Object.fromEntries([...readable, 'devices'].map((table) => [table, tenants]));

test('a reader sees its tenant’s rows in every table and view, and no others', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool);
    expect(await withTenant(pool, t1, tenantsSeen)).toEqual(onlyOf(['t1']));
    expect(await withTenant(pool, 't2' as TenantId, tenantsSeen)).toEqual(onlyOf(['t2']));
    expect(await withTenant(pool, 'none' as TenantId, tenantsSeen)).toEqual(onlyOf(null));
  }));

test('a reader that names no tenant sees nothing, also on a connection that named one before', () =>
  withDatabase({ max: 1 }, async ({ pool }) => {
    await fill(pool);
    const asReader = () =>
      inTransaction(pool, async (client) => {
        await client.query('set local role tributary_reader');
        return tenantsSeen(client);
      });
    expect(await asReader()).toEqual(onlyOf(null));
    await withTenant(pool, t1, tenantsSeen);
    expect(await asReader()).toEqual(onlyOf(null));
    // And the pool's own user is itself again.
    expect((await pool.query('select count(*) from telemetry')).rows).toEqual([{ count: 2n }]);
  }));

const forbidden = [
  ['a partition, which would bypass row security', 'select * from telemetry_20261123'],
  ['token hashes', 'select token_sha256 from devices'],
  ['hashes of the token before', 'select previous_token_sha256 from devices'],
  ['all columns of a table with hashes', 'select * from devices'],
  ['hashes of quarantined tokens', 'select token_sha256 from quarantine'],
  ['operator keys', 'select name from operator_keys'],
  ['hashes of keys', 'select key_sha256 from tenant_keys'],
  ['who is signed in', 'select session_sha256 from console_sessions'],
  ['idempotency keys', 'select identity from message_keys'],
  ['claims', 'select seq from claims'],
  ['migrations', 'select name from tributary_migrations'],
] as const;

test.each(forbidden)('a reader may not read %s', (_what, sql) =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool);
    const reading = withTenant(pool, t1, (client) => client.query(sql));
    expect(String(await rejectionOf(reading))).toContain('permission denied');
  }),
);

test('a reader writes nothing', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool);
    const asReader = inTransaction(pool, async (client) => {
      await client.query(`set local role tributary_reader; set local tributary.tenant_id = 't1'`);
      await client.query('delete from sensors');
    });
    expect(String(await rejectionOf(asReader))).toContain('permission denied');
    const inside = withTenant(pool, t1, (client) => client.query('create temp table t (id int)'));
    expect(String(await rejectionOf(inside))).toContain('read-only');
  }));

test('values are exact numbers or texts, one row each', () =>
  withDatabase({}, async ({ pool }) => {
    await fill(pool);
    const { rows } = await withTenant(pool, t1, (client) =>
      client.query('select device_id, metric, value, text_value from telemetry_values order by metric'),
    );
    expect(rows).toEqual([
      { device_id: 'd1', metric: 'door', value: null, text_value: 'open' },
      { device_id: 'd1', metric: 'temp', value: '12345678901234567890.5', text_value: null },
    ]);
  }));

test('a login of a tenant, set up as the reference says, sees that tenant whatever it sets', () =>
  withDatabase({}, async ({ pool, database }) => {
    await fill(pool);
    const login = `grafana_${database.name}`;
    await pool.query(`create role ${login} login password 'for-tests' in role tributary_reader;
      insert into tenant_logins (login, tenant_id) values ('${login}', 't1')`);
    const url = new URL(database.url);
    [url.username, url.password] = [login, 'for-tests'];
    const client = new pg.Client({ connectionString: url.href });
    try {
      await client.connect();
      const seen = async () => (await client.query('select distinct tenant_id from telemetry_values')).rows;
      expect(await seen()).toEqual([{ tenant_id: 't1' }]);
      await client.query(`set tributary.tenant_id = 't2'`);
      expect(await seen()).toEqual([{ tenant_id: 't1' }]);
      await expect(client.query('select * from tenant_logins')).rejects.toThrow('permission denied');
    } finally {
      await client.end();
      await pool.query(`drop role ${login}`);
    }
  }));
