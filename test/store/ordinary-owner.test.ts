import { expect, test } from 'bun:test';
import pg from 'pg';
import type { TenantId } from '../../src/model/identifiers.ts';
import { dropOldWeeks } from '../../src/store/maintenance/drop-old-weeks.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { addTenant } from '../../src/store/registry/add-tenant.ts';
import { withTenant } from '../../src/store/with-tenant.ts';
import { startTestCluster } from '../harness/postgres-cluster.ts';
import { rejectionOf, silentLog } from './with-database.ts';

/** A database whose owner is no superuser, in a cluster where our roles do not exist yet. */
async function withOrdinaryOwner(
  attributes: string,
  use: (pool: pg.Pool, admin: pg.Client) => Promise<void>,
) {
  await using cluster = await startTestCluster();
  const admin = new pg.Client({ connectionString: cluster.url });
  await admin.connect();
  await admin.query(`create role app login password 'for-tests' ${attributes}`);
  await admin.query('create database app owner app');
  const url = new URL(cluster.url);
  Object.assign(url, { username: 'app', password: 'for-tests', pathname: '/app' });
  const pool = createPool({ databaseUrl: url.href, max: 2, name: 'owner test', log: silentLog });
  try {
    await use(pool, admin);
  } finally {
    await pool.end();
    await admin.end();
  }
}

test('an owner who may create roles needs no superuser for anything', () =>
  withOrdinaryOwner('createrole', async (pool) => {
    await migrate(pool);
    await addTenant(pool, 't1' as TenantId);
    for (const time of ['now()', `'2020-01-01'`])
      await pool.query(`select ensure_telemetry_partition(${time})`);
    await pool.query(`insert into telemetry values (now(), gen_random_uuid(), 't1', 'd1', 's1', 'telemetry', 1, '{}',
      null, now(), 1, 1)`);
    const seen = await withTenant(pool, 't1' as TenantId, (client) => client.query('select from telemetry'));
    expect(seen.rowCount).toBe(1);
    const { dropped } = await dropOldWeeks(pool, { retentionDays: 400, lockTimeoutMs: 1_000 });
    expect(dropped).toHaveLength(1);
  }));

test('an owner who may not create roles is told what an administrator has to run, and that is enough', () =>
  withOrdinaryOwner('', async (pool, admin) => {
    const error = await rejectionOf(migrate(pool));
    expect(error).toMatchObject({
      message: 'user app may not create the role tributary_reader',
      hint: expect.stringContaining('create role tributary_reader nologin; grant tributary_reader to app;'),
    });
    for (const role of ['tributary_reader', 'tributary_writer', 'tributary_door', 'tributary_delivery']) {
      await admin.query(`create role ${role} nologin; grant ${role} to app;`);
    }
    await migrate(pool);
    const seen = await withTenant(pool, 't1' as TenantId, (client) => client.query('select from telemetry'));
    expect(seen.rowCount).toBe(0);
  }));
