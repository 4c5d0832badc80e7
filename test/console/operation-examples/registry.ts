import type { Examples } from './example.ts';

export const registryExamples: Examples = {
  openSession: async ({ keys }) => ({ body: { key: keys.read }, status: 200 }),
  showSession: { status: 200 },
  closeSession: { status: 204 },
  listTenants: { query: { search: 'OWN', limit: '1' }, status: 200 },
  createTenant: { body: { tenant_id: 'new', name: 'New', rate_per_second: 10, burst: null }, status: 201 },
  getTenant: { status: 200 },
  changeTenant: { body: { burst: 7, device_burst: null }, status: 200 },
  listDevices: { query: { revoked: 'false', limit: '500' }, status: 200 },
  createDevice: { body: { device_id: 'made', site_id: 's1', max_sensors: 3 }, status: 201 },
  getDevice: { status: 200 },
  importDevices: {
    headers: { 'Content-Type': 'text/csv' },
    body: 'device_id,site_id,token,tenant_id\ncsv-1,s1,,\ncsv-2,s1,given-token,own\nbad id,s1,,\ncsv-1,s1,,\nx,s,,foreign\n',
    status: 200,
  },
  changeDevice: { body: { site_id: 'plain', burst: 5, rate_per_second: null }, status: 200 },
  rotateDeviceToken: { body: { grace_ms: 60_000 }, status: 200 },
  revokeDevice: { status: 200 },
  reinstateDevice: { status: 200 },
  deleteDevice: { params: { device_id: 'made' }, query: { with_data: 'true' }, status: 200 },
  listSites: { status: 200 },
  listSensors: { status: 200 },
  listStatusHistory: { status: 200 },
  deleteTenant: async ({ pool }) => {
    await pool.query(`insert into tenants (tenant_id) values ('to-delete') on conflict do nothing`);
    await pool.query(`insert into devices (tenant_id, device_id, site_id) values ('to-delete', 'd', 's')
      on conflict do nothing`);
    return { params: { tenant_id: 'to-delete' }, query: { with_data: 'true' }, status: 200 };
  },
  listKeys: { status: 200 },
  createKey: { body: { name: 'a new one', level: 'read', expires_at: '2199-01-01T00:00:00Z' }, status: 201 },
  revokeKey: async ({ pool }) => {
    const { rows } = await pool.query(
      `insert into tenant_keys (tenant_id, name, level, key_sha256) values ('own', 'old', 'read', sha256('old'))
       on conflict (key_sha256) do update set name = excluded.name returning key_id`,
    );
    return { params: { key_id: String(rows[0].key_id) }, status: 200 };
  },
  listOperatorKeys: { status: 200 },
  createOperatorKey: { body: { name: 'another' }, status: 201 },
  revokeOperatorKey: async ({ pool }) => {
    const { rows } = await pool.query(
      `insert into operator_keys (name, key_sha256) values ('former', sha256('former'))
       on conflict (name) do update set revoked_at = null returning key_id`,
    );
    return { params: { key_id: String(rows[0].key_id) }, status: 200 };
  },
  listTenantAuditLog: { query: { from: '2020-01-01T00:00:00Z' }, status: 200 },
  listAuditLog: { query: { action: 'device.create', limit: '1' }, status: 200 },
  showDoors: { status: 200 },
  showOverview: { status: 200 },
  followOverview: { status: 200 },
  showTenantOverview: { status: 200 },
  followTenantOverview: { status: 200 },
  showStatus: { status: 200 },
  showSystem: { status: 200 },
  showTenantRateLimits: { status: 200 },
  showRateLimits: { status: 200 },
};
