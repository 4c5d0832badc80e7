import type { Examples } from './example.ts';

export const registryExamples: Examples = {
  openSession: async ({ keys }) => ({ body: { key: keys.read }, status: 200 }),
  showSession: { status: 200 },
  closeSession: { status: 204 },
  listTenants: { query: { search: 'OWN', limit: '1' }, status: 200 },
  createTenant: { body: { tenant_id: 'new', name: 'New', rate_per_second: 10, burst: null }, status: 201 },
  getTenant: { status: 200 },
  changeTenant: { body: { burst: 7, device_burst: null }, status: 200 },
  listDevices: { query: { search: 'OWN', status: 'ONLINE', revoked: 'false' }, status: 200 },
  createDevice: { body: { device_id: 'made', site_id: 's1', max_sensors: 3 }, status: 201 },
  getDevice: { status: 200 },
};
