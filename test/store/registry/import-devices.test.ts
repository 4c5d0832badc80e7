import { expect, test } from 'bun:test';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import { hashToken } from '../../../src/model/token.ts';
import type { NewDevice } from '../../../src/store/registry/add-device.ts';
import { addTenant } from '../../../src/store/registry/add-tenant.ts';
import { type ImportSums, importDevices } from '../../../src/store/registry/import-devices.ts';
import { rejectionOf, withDatabase } from '../with-database.ts';

const t1 = 't1' as TenantId;
const device = (id: string, rest: Partial<NewDevice> = {}): NewDevice => ({
  deviceId: id as DeviceId,
  siteId: 's1',
  ...rest,
});

test('100,000 devices are imported, with progress', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    function* fleet() {
      for (let i = 0; i < 100_000; i += 1)
        yield device(`device-${i}`, { tokenSha256: hashToken(`token-${i}`) });
    }
    const progress: number[] = [];
    const startedAt = performance.now();
    const sums = await importDevices(pool, t1, fleet(), {
      existing: 'skip',
      onProgress: ({ added }) => progress.push(added),
    });
    console.log(`100,000 devices imported in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    expect(sums).toEqual({ added: 100_000, updated: 0, unchanged: 0 });
    expect(progress).toEqual(Array.from({ length: 50 }, (_, index) => (index + 1) * 2_000));
    const { rows } = await pool.query(`select token_sha256 from devices where device_id = 'device-4711'`);
    expect(rows).toEqual([{ token_sha256: hashToken('token-4711') }]);
  }));

test('registered devices are skipped or updated, and an update keeps what the import leaves open', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    const sha = hashToken('kept');
    const run = (existing: 'skip' | 'update', ...devices: NewDevice[]): Promise<ImportSums> =>
      importDevices(pool, t1, devices, { existing });
    await run('skip', device('a', { tokenSha256: sha, burst: 5 }), device('b'));
    expect(await run('skip', device('a', { siteId: 's2' }), device('c'))).toEqual({
      added: 1,
      updated: 0,
      unchanged: 1,
    });
    const updated = await run('update', device('a', { siteId: 's3' }), device('b'), device('d'));
    expect(updated).toEqual({ added: 1, updated: 1, unchanged: 1 });
    const { rows } = await pool.query(
      'select device_id, site_id, token_sha256, burst from devices order by device_id',
    );
    expect(rows).toEqual([
      { device_id: 'a', site_id: 's3', token_sha256: sha, burst: 5 },
      { device_id: 'b', site_id: 's1', token_sha256: null, burst: null },
      { device_id: 'c', site_id: 's1', token_sha256: null, burst: null },
      { device_id: 'd', site_id: 's1', token_sha256: null, burst: null },
    ]);
  }));

test('a device that comes twice is one device, the later line an update of the first', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    const twice = [device('a', { siteId: 's1' }), device('b'), device('a', { siteId: 's2' })];
    expect(await importDevices(pool, t1, twice, { existing: 'update' })).toEqual({
      added: 2,
      updated: 1,
      unchanged: 0,
    });
    expect((await pool.query(`select site_id from devices where device_id = 'a'`)).rows).toEqual([
      { site_id: 's2' },
    ]);
  }));

test('an import for a tenant that does not exist says so', () =>
  withDatabase({}, async ({ pool }) => {
    const error = await rejectionOf(importDevices(pool, t1, [device('a')], { existing: 'skip' }));
    expect(error).toMatchObject({ name: 'RegistryError', code: 'tenant_not_found' });
  }));

test('what was committed before a failure stands, and the same import goes on from there', () =>
  withDatabase({}, async ({ pool }) => {
    await addTenant(pool, t1);
    const options = { existing: 'skip', batchSize: 2 } as const;
    const bad = [device('a'), device('b'), device('c', { siteId: '' })];
    await rejectionOf(importDevices(pool, t1, bad, options));
    const good = [device('a'), device('b'), device('c')];
    expect(await importDevices(pool, t1, good, options)).toEqual({ added: 1, updated: 0, unchanged: 2 });
  }));
