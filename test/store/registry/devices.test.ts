import { expect, test } from 'bun:test';
import type pg from 'pg';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import { hashToken } from '../../../src/model/token.ts';
import { sqlstateOf } from '../../../src/store/errors.ts';
import { addDevice } from '../../../src/store/registry/add-device.ts';
import { addTenant } from '../../../src/store/registry/add-tenant.ts';
import { deleteDevice } from '../../../src/store/registry/delete-device.ts';
import { listDevices } from '../../../src/store/registry/list-devices.ts';
import { RegistryError } from '../../../src/store/registry/registry-error.ts';
import { revokeDevice } from '../../../src/store/registry/revoke-device.ts';
import { rotateToken } from '../../../src/store/registry/rotate-token.ts';
import { selectTenants } from '../../../src/store/registry/select-tenants.ts';
import { setDeviceLimits } from '../../../src/store/registry/set-device-limits.ts';
import { setTenantLimits } from '../../../src/store/registry/set-tenant-limits.ts';
import { showDevice } from '../../../src/store/registry/show-device.ts';
import { rejectionOf, withDatabase } from '../with-database.ts';

const t1 = 't1' as TenantId;
const t2 = 't2' as TenantId;
const d1 = 'd1' as DeviceId;
const nobody = 'nobody' as TenantId;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await rejectionOf(promise);
  if (!(error instanceof RegistryError)) throw error;
  return error.code;
}

async function tokensOf(pool: pg.Pool) {
  const { rows } = await pool.query(
    'select token_sha256, previous_token_sha256, previous_token_until - now() as remaining from devices',
  );
  return rows[0];
}

test('tenants are added once, listed by id and limited', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t2, { name: 'Second', deviceBurst: 7 });
    await addTenant(pool, t1);
    expect(await codeOf(addTenant(pool, t1))).toBe('tenant_exists');
    await addDevice(pool, t1, { deviceId: d1, siteId: 's1' });
    await setTenantLimits(pool, t2, { ratePerSecond: 2.5, deviceBurst: null });
    expect(await codeOf(setTenantLimits(pool, nobody, { burst: 1 }))).toBe('tenant_not_found');
    expect(await selectTenants(pool)).toMatchObject([
      { tenantId: t1, name: '', ratePerSecond: undefined, devices: 1 },
      {
        tenantId: t2,
        name: 'Second',
        ratePerSecond: 2.5,
        burst: undefined,
        deviceBurst: undefined,
        devices: 0,
      },
    ]);
  }));

test('a device is added once, in a tenant that exists, at a site', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    await addTenant(pool, t2);
    await addDevice(pool, t1, {
      deviceId: d1,
      siteId: 's1',
      tokenSha256: hashToken('secret'),
      maxSensors: 0,
    });
    await addDevice(pool, t2, { deviceId: d1, siteId: 's1' });
    expect(await codeOf(addDevice(pool, t1, { deviceId: d1, siteId: 's2' }))).toBe('device_exists');
    expect(await codeOf(addDevice(pool, nobody, { deviceId: d1, siteId: 's1' }))).toBe('tenant_not_found');
    const withoutSite = addDevice(pool, t1, { deviceId: 'd2' as DeviceId, siteId: '' });
    expect(sqlstateOf(await rejectionOf(withoutSite))).toBe('23514');
    await setDeviceLimits(pool, t1, d1, { ratePerSecond: 9 });
    expect(await codeOf(setDeviceLimits(pool, t1, 'dx' as DeviceId, {}))).toBe('device_not_found');
    expect(await showDevice(pool, t1, d1)).toMatchObject({
      siteId: 's1',
      hasToken: true,
      ratePerSecond: 9,
      burst: undefined,
      maxSensors: 0,
      sensors: 0,
      status: undefined,
      lastSeenAt: undefined,
    });
    expect(await showDevice(pool, t2, d1)).toMatchObject({ hasToken: false, maxSensors: undefined });
    expect(await codeOf(showDevice(pool, t1, 'dx' as DeviceId))).toBe('device_not_found');
  }));

test('devices are listed page by page, bytewise, and filtered', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    await addTenant(pool, t2);
    for (const id of ['b', 'B', 'a:1', '_'])
      await addDevice(pool, t1, { deviceId: id as DeviceId, siteId: `site-${id}` });
    await addDevice(pool, t2, { deviceId: 'c' as DeviceId, siteId: 's' });
    await pool.query(`insert into device_state values ('t1', 'b', now(), 'telemetry', 'STALE', now())`);
    await revokeDevice(pool, t1, 'B' as DeviceId);
    const idsOf = async (page: Parameters<typeof listDevices>[2]) =>
      (await listDevices(pool, t1, page)).map(({ deviceId }): string => deviceId);
    expect(await idsOf({ limit: 2 })).toEqual(['B', '_']);
    expect(await idsOf({ limit: 2, afterDeviceId: '_' })).toEqual(['a:1', 'b']);
    expect(await idsOf({ limit: 2, afterDeviceId: 'b' })).toEqual([]);
    expect(await idsOf({ limit: 9, siteId: 'site-a:1' })).toEqual(['a:1']);
    expect(await idsOf({ limit: 9, status: 'STALE' })).toEqual(['b']);
    expect(await idsOf({ limit: 9, revoked: true })).toEqual(['B']);
    expect(await idsOf({ limit: 9, revoked: false })).toEqual(['_', 'a:1', 'b']);
  }));

test('a rotated token keeps its predecessor for the grace, and only that one', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    await addDevice(pool, t1, { deviceId: d1, siteId: 's1' });
    const rotate = (token: string, graceMs: number) =>
      rotateToken(pool, t1, d1, { tokenSha256: hashToken(token), graceMs });
    // There was no token before: nothing to keep.
    expect((await rotate('first', 60_000)).previousTokenUntil).toBeUndefined();
    const { previousTokenUntil } = await rotate('second', 60_000);
    expect(previousTokenUntil?.getTime()).toBeGreaterThan(Date.now());
    expect(await tokensOf(pool)).toMatchObject({
      token_sha256: hashToken('second'),
      previous_token_sha256: hashToken('first'),
    });
    expect((await showDevice(pool, t1, d1)).previousTokenUntil).toEqual(previousTokenUntil);
    await rotate('third', 0);
    expect(await tokensOf(pool)).toEqual({
      token_sha256: hashToken('third'),
      previous_token_sha256: null,
      remaining: null,
    });
    expect(await codeOf(rotateToken(pool, t2, d1, { tokenSha256: hashToken('x'), graceMs: 0 }))).toBe(
      'device_not_found',
    );
  }));

test('revoking twice keeps the first moment', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    await addDevice(pool, t1, { deviceId: d1, siteId: 's1' });
    const first = await revokeDevice(pool, t1, d1);
    expect(await revokeDevice(pool, t1, d1)).toEqual(first);
    expect((await showDevice(pool, t1, d1)).revokedAt).toEqual(first);
    expect(await codeOf(revokeDevice(pool, t2, d1))).toBe('device_not_found');
  }));

async function fillWithData(pool: pg.Pool): Promise<void> {
  for (const week of ['2026-01-05', '2026-01-12'])
    await pool.query('select ensure_telemetry_partition($1)', [week]);
  for (const [tenant, device] of [
    ['t1', 'd1'],
    ['t1', 'd2'],
    ['t2', 'd1'],
  ]) {
    await pool.query(
      `insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, metrics, arrived_at,
         stream_epoch, stream_seq)
       select timestamptz '2026-01-06' + i * interval '1 day', gen_random_uuid(), $1, $2, 's1', 'telemetry', '{}',
         now(), 1, i from generate_series(1, 10) i`,
      [tenant, device],
    );
    await pool.query(`insert into device_state values ($1, $2, now(), 'telemetry', 'ONLINE', now())`, [
      tenant,
      device,
    ]);
  }
}

test('deleting a device leaves its data, or takes all of it and nobody else’s', () =>
  withDatabase({}, async ({ pool }) => {
    for (const tenant of [t1, t2]) {
      await addTenant(pool, tenant);
      await addDevice(pool, tenant, { deviceId: d1, siteId: 's1' });
    }
    await fillWithData(pool);
    const rowsLeft = async () =>
      (await pool.query<{ n: bigint }>('select count(*) as n from telemetry')).rows[0]?.n;
    expect(await deleteDevice(pool, t1, d1)).toEqual({ registered: true, telemetryRows: 0 });
    expect(await rowsLeft()).toBe(30n);
    const progress: number[] = [];
    const again = await deleteDevice(pool, t1, d1, {
      withData: true,
      onProgress: (rows) => progress.push(rows),
    });
    expect(again).toEqual({ registered: false, telemetryRows: 10 });
    expect(progress).toEqual([5, 10]);
    expect(await rowsLeft()).toBe(20n);
    const { rows } = await pool.query('select tenant_id, device_id from device_state order by 1, 2');
    expect(rows).toEqual([
      { tenant_id: 't1', device_id: 'd2' },
      { tenant_id: 't2', device_id: 'd1' },
    ]);
    expect(await codeOf(deleteDevice(pool, t1, d1, { withData: true }))).toBe('device_not_found');
    expect(await codeOf(deleteDevice(pool, t1, d1))).toBe('device_not_found');
  }));

test('the tokens that a device had are remembered by their hashes, until it is deleted with its data', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    await addDevice(pool, t1, { deviceId: d1, siteId: 's1', tokenSha256: hashToken('first') });
    const known = async () => {
      const { rows } = await pool.query<{ token: Buffer }>(
        'select token_sha256 as token from device_token_history order by replaced_at',
      );
      return ['first', 'second', 'third'].filter((token) =>
        rows.some((row) => row.token.equals(hashToken(token))),
      );
    };
    await setDeviceLimits(pool, t1, d1, { burst: 3 });
    expect(await known()).toEqual([]);
    await rotateToken(pool, t1, d1, { tokenSha256: hashToken('second'), graceMs: 0 });
    await pool.query(`update devices set token_sha256 = null`);
    expect(await known()).toEqual(['first', 'second']);
    await rotateToken(pool, t1, d1, { tokenSha256: hashToken('third'), graceMs: 0 });
    await deleteDevice(pool, t1, d1);
    expect(await known()).toEqual(['first', 'second', 'third']);
    await deleteDevice(pool, t1, d1, { withData: true });
    expect(await known()).toEqual([]);
  }));
