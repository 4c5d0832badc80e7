import { createHash } from 'node:crypto';
import type pg from 'pg';

export interface FleetDevice {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly siteId: string;
  readonly token: string;
}

export interface FleetOptions {
  readonly tenants: number;
  readonly devicesPerTenant: number;
  /** Overrides of the devices' limits; absent: the defaults. */
  readonly limits?: { readonly ratePerSecond: number; readonly burst: number };
}

/** Registers tenants `t0…` with devices `d0…`, each with a token of its own. */
export async function registerFleet(pool: pg.Pool, options: FleetOptions): Promise<FleetDevice[]> {
  const devices: FleetDevice[] = [];
  for (let t = 0; t < options.tenants; t += 1) {
    for (let d = 0; d < options.devicesPerTenant; d += 1) {
      devices.push({
        tenantId: `t${t}`,
        deviceId: `d${d}`,
        siteId: `site-${t}`,
        token: `token-${t}-${d}-secret`,
      });
    }
  }
  await insertDevices(pool, devices, options.limits);
  return devices;
}

export async function insertDevices(
  pool: pg.Pool,
  devices: readonly FleetDevice[],
  limits?: FleetOptions['limits'],
): Promise<void> {
  await pool.query(
    `insert into tenants (tenant_id, rate_per_second, burst)
     select distinct unnest($1::text[]), $2::float8, $3::int on conflict do nothing`,
    [devices.map((device) => device.tenantId), limits?.ratePerSecond ?? null, limits?.burst ?? null],
  );
  await pool.query(
    `insert into devices (tenant_id, device_id, site_id, token_sha256, rate_per_second, burst)
     select t, d, s, sha, $5, $6 from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) as u (t, d, s, sha)`,
    [
      devices.map((device) => device.tenantId),
      devices.map((device) => device.deviceId),
      devices.map((device) => device.siteId),
      devices.map((device) => createHash('sha256').update(device.token).digest()),
      limits?.ratePerSecond ?? null,
      limits?.burst ?? null,
    ],
  );
}

/** Sends one message over single HTTP. */
export function post(
  httpUrl: string,
  device: FleetDevice,
  body: unknown,
  options: { readonly msgType?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const path = `/ingest/v1/tenant/${device.tenantId}/device/${device.deviceId}/${options.msgType ?? 'telemetry'}`;
  return fetch(`${httpUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-provision-token': device.token, ...options.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Runs `work` on all items, `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
