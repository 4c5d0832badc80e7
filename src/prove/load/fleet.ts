import type pg from 'pg';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { hashToken } from '../../model/token.ts';
import { addDevice } from '../../store/registry/add-device.ts';
import { addTenant } from '../../store/registry/add-tenant.ts';
import type { ProveDevice } from './message.ts';

/** Part of every token, the wrong ones too, and of nothing else. */
export const tokenMark = '-of-prove';

/** Registers devices of several tenants. */
export async function registerDevices(
  pool: pg.Pool,
  counts: { readonly tenants: number; readonly devicesPerTenant: number },
): Promise<ProveDevice[]> {
  const devices: ProveDevice[] = [];
  for (let t = 0; t < counts.tenants; t += 1) {
    const tenantId = `prove-${t}`;
    await addTenant(pool, tenantId as TenantId, { name: 'of tributary prove' });
    for (let d = 0; d < counts.devicesPerTenant; d += 1) {
      const device = {
        tenantId,
        deviceId: `device-${d}`,
        siteId: `site-${t}`,
        token: `token-${t}-${d}${tokenMark}`,
      };
      const { deviceId, siteId, token } = device;
      const tokenSha256 = hashToken(token);
      await addDevice(pool, tenantId as TenantId, { deviceId: deviceId as DeviceId, siteId, tokenSha256 });
      devices.push(device);
    }
  }
  return devices;
}
