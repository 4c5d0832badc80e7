import { expect, test } from 'bun:test';
import type pg from 'pg';
import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import { hashToken } from '../../src/model/token.ts';
import { purgeTombstones } from '../../src/store/maintenance/purge-tombstones.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { addDevice } from '../../src/store/registry/add-device.ts';
import { addTenant } from '../../src/store/registry/add-tenant.ts';
import { importDevices } from '../../src/store/registry/import-devices.ts';
import { revokeDevice } from '../../src/store/registry/revoke-device.ts';
import {
  type RegistryFeed,
  type RegistryFeedOptions,
  startRegistryFeed,
} from '../../src/store/registry-feed.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { startTestCluster } from '../harness/postgres-cluster.ts';
import { until } from '../harness/until.ts';
import { startSilentProxy } from './silent-proxy.ts';
import { rejectionOf, silentLog, withDatabase } from './with-database.ts';

const t1 = 't1' as TenantId;
const d1 = 'd1' as DeviceId;
/** So rare that within a test only notifications and refreshes count. */
const hardlyEver = 3_600_000;

async function withFeed(
  pool: pg.Pool,
  options: Partial<RegistryFeedOptions>,
  use: (feed: RegistryFeed) => Promise<void>,
): Promise<void> {
  const clock = () => performance.now();
  const feed = startRegistryFeed({ pool, pollMs: 50, devices: true, log: silentLog, clock, ...options });
  try {
    await use(feed);
  } finally {
    await feed.drain();
  }
}

const hexOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

const databaseVersion = async (pool: pg.Pool): Promise<number> =>
  Number((await pool.query('select version from registry_version')).rows[0].version);

test('knows everything about devices and tenants after its first load', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1, { ratePerSecond: 10, deviceBurst: 3 });
    await addDevice(pool, t1, { deviceId: d1, siteId: 's1', tokenSha256: hashToken('now'), maxSensors: 4 });
    await pool.query(
      `update devices set previous_token_sha256 = $1,
      previous_token_until = '2026-01-01T00:00:00.25Z'`,
      [Buffer.from(hashToken('before'))],
    );
    await withFeed(pool, {}, async (feed) => {
      expect([feed.version, feed.loaded, feed.fresh, feed.device('t1', 'd1')]).toEqual([
        -1,
        false,
        false,
        undefined,
      ]);
      await feed.ready;
      expect([feed.version, feed.loaded, feed.fresh]).toEqual([await databaseVersion(pool), true, true]);
      const device = feed.device('t1', 'd1');
      expect(device).toMatchObject({ siteId: 's1', revoked: false, maxSensors: 4, burst: undefined });
      expect(hexOf(device?.tokenSha256)).toBe(hexOf(hashToken('now')));
      expect(hexOf(device?.previousTokenSha256)).toBe(hexOf(hashToken('before')));
      expect(device?.previousTokenUntilMs).toBe(Date.parse('2026-01-01T00:00:00.25Z'));
      expect(feed.tenant('t1')).toEqual({
        tenantId: t1,
        ratePerSecond: 10,
        burst: undefined,
        deviceRatePerSecond: undefined,
        deviceBurst: 3,
      });
      expect([feed.device('t2', 'd1'), feed.device('t1', 'd2'), feed.tenant('t2')]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });
  }));

test('sees a revocation by notification alone', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    await addDevice(pool, t1, { deviceId: d1, siteId: 's1' });
    await withFeed(pool, { pollMs: hardlyEver }, async (feed) => {
      await feed.ready;
      await revokeDevice(pool, t1, d1);
      await until(() => feed.device('t1', 'd1')?.revoked, { what: 'the revocation is seen' });
    });
  }));

test('sees a revocation by polling alone', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    await addDevice(pool, t1, { deviceId: d1, siteId: 's1' });
    await pool.query('alter table devices disable trigger devices_bump');
    await withFeed(pool, {}, async (feed) => {
      await feed.ready;
      await pool.query(`begin; update registry_version set version = version + 1;
        update devices set revoked_at = now(); commit`);
      await until(() => feed.device('t1', 'd1')?.revoked, { what: 'the revocation is seen' });
    });
  }));

test('forgets what is deleted, keeps what is added again, and sees SQL edits', () =>
  withDatabase({}, async ({ pool }) => {
    for (const tenant of ['t1', 't2']) await addTenant(pool, tenant as TenantId);
    for (const device of ['d1', 'd2'])
      await addDevice(pool, t1, { deviceId: device as DeviceId, siteId: 's1' });
    await withFeed(pool, { pollMs: hardlyEver }, async (feed) => {
      await feed.ready;
      await pool.query(`begin; delete from devices; delete from tenants where tenant_id = 't2';
        insert into devices (tenant_id, device_id, site_id) values ('t1', 'd2', 's2'); commit`);
      await feed.refresh();
      expect([feed.device('t1', 'd1'), feed.device('t1', 'd2')?.siteId]).toEqual([undefined, 's2']);
      expect([feed.tenant('t1')?.tenantId, feed.tenant('t2')]).toEqual([t1, undefined]);
    });
  }));

test('writers that commit in the reverse order of their beginning do not hide a change', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    for (const id of ['d1', 'd2']) await addDevice(pool, t1, { deviceId: id as DeviceId, siteId: 's1' });
    await withFeed(pool, {}, async (feed) => {
      await feed.ready;
      const [first, second] = [await pool.connect(), await pool.connect()];
      try {
        await first.query('begin; select 1');
        await second.query('begin; select 1');
        await second.query(`update devices set site_id = 'from second' where device_id = 'd2'`);
        const blocked = first.query(`update devices set site_id = 'from first' where device_id = 'd1'`);
        await feed.refresh();
        expect(feed.device('t1', 'd2')?.siteId).toBe('s1');
        await second.query('commit');
        await blocked;
        await feed.refresh();
        expect(feed.device('t1', 'd2')?.siteId).toBe('from second');
        await first.query('commit');
        await feed.refresh();
        expect(feed.device('t1', 'd1')?.siteId).toBe('from first');
      } finally {
        first.release();
        second.release();
      }
    });
  }));

test('many refreshes at once resolve at the version they ask for', () =>
  withDatabase({ max: 8 }, async ({ pool }) => {
    await addTenant(pool, t1);
    await withFeed(pool, { pollMs: hardlyEver }, async (feed) => {
      await feed.ready;
      const changes = Array.from({ length: 40 }, async (_, index) => {
        await addDevice(pool, t1, { deviceId: `d${index}` as DeviceId, siteId: 's1' });
        const version = await databaseVersion(pool);
        await feed.refresh(version);
        expect(feed.version).toBeGreaterThanOrEqual(version);
        expect(feed.device('t1', `d${index}`)).toBeDefined();
      });
      await Promise.all(changes);
    });
  }));

test('a version that the database never had is an error, not a wait', () =>
  withDatabase({}, async ({ pool }) => {
    await withFeed(pool, {}, async (feed) => {
      await feed.ready;
      expect(String(await rejectionOf(feed.refresh(1_000_000)))).toContain('version 1000000 was asked for');
    });
  }));

test('loads tenants only where devices are not wanted', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    await addDevice(pool, t1, { deviceId: d1, siteId: 's1' });
    await withFeed(pool, { devices: false }, async (feed) => {
      await feed.ready;
      expect([feed.tenant('t1')?.tenantId, feed.device('t1', 'd1')]).toEqual([t1, undefined]);
    });
  }));

test('pages through many devices of one version while others change', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    const fleet = Array.from({ length: 1_000 }, (_, index) => ({
      deviceId: `d${index}` as DeviceId,
      siteId: 's1',
    }));
    await importDevices(pool, t1, fleet, { existing: 'skip' });
    const changing = { stop: false };
    const changes = (async () => {
      for (let index = 0; !changing.stop; index += 1) {
        await pool.query('update devices set site_id = $1 where device_id = $2', [
          `s-${index}`,
          `d${index % 7}`,
        ]);
      }
    })();
    await withFeed(pool, { pageSize: 10 }, async (feed) => {
      await feed.ready;
      changing.stop = true;
      await changes;
      await feed.refresh();
      const { rows } = await pool.query('select device_id, site_id from devices');
      for (const row of rows) expect(feed.device('t1', row.device_id)?.siteId).toBe(row.site_id);
    });
  }));

test('goes on after its connection was killed', () =>
  withDatabase({}, async ({ pool, database }) => {
    await addTenant(pool, t1);
    await withFeed(pool, {}, async (feed) => {
      await feed.ready;
      await pool.query('select 1');
      await database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'tributary test'`);
      await addDevice(database.pool, t1, { deviceId: d1, siteId: 's1' });
      await until(() => feed.device('t1', 'd1') && feed.fresh, { what: 'the device is seen' });
    });
  }));

test('a connection that falls silent is replaced', () =>
  withDatabase({}, async ({ pool, database }) => {
    await addTenant(pool, t1);
    await using proxy = await startSilentProxy(database.url);
    const throughProxy = createPool({ databaseUrl: proxy.url, max: 1, name: 'proxied', log: silentLog });
    await withFeed(throughProxy, { queryTimeoutMs: 500 }, async (feed) => {
      await feed.ready;
      proxy.silence();
      await addDevice(pool, t1, { deviceId: d1, siteId: 's1' });
      await until(() => feed.device('t1', 'd1') && feed.fresh, { what: 'the device is seen' });
    });
    await throughProxy.end();
  }));

test('a database that is away keeps the last snapshot, is not fresh, and comes back', async () => {
  await using cluster = await startTestCluster();
  const pool = createPool({ databaseUrl: cluster.url, max: 4, name: 'feed test', log: silentLog });
  try {
    await migrate(pool);
    await addTenant(pool, t1);
    await cluster.stop();
    await withFeed(pool, {}, async (feed) => {
      expect(await rejectionOf(feed.refresh(1))).toBeInstanceOf(Error);
      expect([feed.loaded, feed.fresh]).toEqual([false, false]);
      await cluster.start();
      await feed.ready;
      expect(feed.tenant('t1')).toBeDefined();
      await cluster.kill();
      await until(() => !feed.fresh, { what: 'the feed is not fresh' });
      expect([feed.loaded, feed.tenant('t1')?.tenantId]).toEqual([true, t1]);
      expect(await rejectionOf(feed.refresh())).toBeInstanceOf(Error);
      await cluster.start();
      await until(() => feed.fresh, { what: 'the feed is fresh again' });
      await addDevice(pool, t1, { deviceId: d1, siteId: 's1' });
      await feed.refresh();
      expect(feed.device('t1', 'd1')).toBeDefined();
    });
  } finally {
    await pool.end();
  }
});

test('a registry that was restored to an older version is loaded anew', () =>
  withDatabase({}, async ({ pool }) => {
    for (const tenant of ['t1', 't2']) await addTenant(pool, tenant as TenantId);
    await withFeed(pool, {}, async (feed) => {
      await feed.ready;
      await pool.query(`set session_replication_role = replica; delete from tenants where tenant_id = 't2';
        update registry_version set version = 1; reset session_replication_role`);
      await until(() => feed.version === 1, { what: 'the older version is loaded' });
      expect([feed.tenant('t1')?.tenantId, feed.tenant('t2')]).toEqual([t1, undefined]);
    });
  }));

test('a feed that has missed deletions which were purged meanwhile loads all anew', () =>
  withDatabase({}, async ({ pool }) => {
    for (const tenant of ['t1', 't2']) await addTenant(pool, tenant as TenantId);
    for (const device of ['d1', 'd2'])
      await addDevice(pool, t1, { deviceId: device as DeviceId, siteId: 's1' });
    await withFeed(pool, { pollMs: hardlyEver }, async (feed) => {
      await feed.ready;
      // The feed hears of it all at once, as after a month without a database.
      await inTransaction(pool, async (client) => {
        await client.query(`delete from devices where device_id = 'd1'`);
        await client.query(`delete from tenants where tenant_id = 't2'`);
        await client.query(`update registry_tombstones set buried_at = now() - interval '31 days'`);
        expect(await purgeTombstones(client, 30)).toBe(2);
        await addDevice(client, t1, { deviceId: 'd3' as DeviceId, siteId: 's1' });
      });
      await feed.refresh();
      expect(feed.version).toBe(await databaseVersion(pool));
      expect(['d1', 'd2', 'd3'].map((id) => feed.device('t1', id)?.siteId)).toEqual([undefined, 's1', 's1']);
      expect([feed.tenant('t1')?.tenantId, feed.tenant('t2')]).toEqual([t1, undefined]);
    });
  }));

test('drained before its first load, it says so to those who wait', async () => {
  const pool = createPool({ databaseUrl: 'postgres://127.0.0.1:1/x', max: 1, name: 'x', log: silentLog });
  const clock = () => performance.now();
  const feed = startRegistryFeed({ pool, pollMs: 50, devices: true, log: silentLog, clock });
  await feed.drain();
  expect(String(await rejectionOf(feed.ready))).toContain('drained');
  expect(String(await rejectionOf(feed.refresh()))).toContain('drained');
  await pool.end();
});

test('TRUNCATE, which no feed would see, is refused', () =>
  withDatabase({}, async ({ pool }) => {
    expect(String(await rejectionOf(pool.query('truncate devices')))).toContain('use DELETE');
  }));
