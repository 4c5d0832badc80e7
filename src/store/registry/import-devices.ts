import type { TenantId } from '../../model/identifiers.ts';
import { constraintOf } from '../errors.ts';
import type { Queryable } from '../statements/queryable.ts';
import type { NewDevice } from './add-device.ts';
import { tenantNotFound } from './registry-error.ts';

export interface ImportOptions {
  /** What happens to devices that are registered already. An update keeps what the import leaves open. */
  readonly existing: 'skip' | 'update';
  /** Devices per transaction. */
  readonly batchSize?: number;
  /** Called after each transaction with the sums so far. */
  readonly onProgress?: (sums: ImportSums) => void;
}

export interface ImportSums {
  readonly added: number;
  readonly updated: number;
  /** Registered already and left as they were: by wish, or because there was nothing to change. */
  readonly unchanged: number;
}

export const importDefaults = { batchSize: 2_000 } as const;

/**
 * Registers many devices of one tenant, in transactions of `batchSize`: a transaction of all of them would keep
 * everybody else from changing the registry until its end, be it to revoke a device. After a failure the batches
 * before it stand; the same import again goes on from there.
 *
 * A device that comes again counts as registered. The caller has checked ids, sites and limits; what PostgreSQL
 * refuses all the same fails its batch.
 * @throws RegistryError `tenant_not_found`.
 */
export async function importDevices(
  db: Queryable,
  tenantId: TenantId,
  devices: Iterable<NewDevice> | AsyncIterable<NewDevice>,
  options: ImportOptions,
): Promise<ImportSums> {
  const batchSize = options.batchSize ?? importDefaults.batchSize;
  let sums: ImportSums = { added: 0, updated: 0, unchanged: 0 };
  let batch = new Map<string, NewDevice>();
  const flush = async () => {
    if (batch.size === 0) return;
    sums = addSums(sums, await importBatch(db, tenantId, [...batch.values()], options.existing));
    batch = new Map();
    options.onProgress?.(sums);
  };
  for await (const device of devices) {
    // One statement cannot touch a row twice: the repetition meets its first in the next batch.
    if (batch.size >= batchSize || batch.has(device.deviceId)) await flush();
    batch.set(device.deviceId, device);
  }
  await flush();
  return sums;
}

const insert = `insert into devices (tenant_id, device_id, site_id, token_sha256, rate_per_second, burst, max_sensors)
  select $1, * from unnest($2::text[], $3::text[], $4::bytea[], $5::float8[], $6::int[], $7::int[]) as given
    (device_id, site_id, token_sha256, rate_per_second, burst, max_sensors)
  order by device_id collate "C"`;

const onConflict = {
  skip: 'on conflict do nothing',
  update: `on conflict (tenant_id, device_id) do update set
      site_id = excluded.site_id,
      token_sha256 = coalesce(excluded.token_sha256, devices.token_sha256),
      rate_per_second = coalesce(excluded.rate_per_second, devices.rate_per_second),
      burst = coalesce(excluded.burst, devices.burst),
      max_sensors = coalesce(excluded.max_sensors, devices.max_sensors)
    where row(excluded.site_id, coalesce(excluded.token_sha256, devices.token_sha256),
        coalesce(excluded.rate_per_second, devices.rate_per_second), coalesce(excluded.burst, devices.burst),
        coalesce(excluded.max_sensors, devices.max_sensors))
      is distinct from row(devices.site_id, devices.token_sha256, devices.rate_per_second, devices.burst,
        devices.max_sensors)`,
} as const;

async function importBatch(
  db: Queryable,
  tenantId: TenantId,
  devices: readonly NewDevice[],
  existing: ImportOptions['existing'],
): Promise<ImportSums> {
  try {
    // A row that was inserted and not updated has no deleter.
    const { rows } = await db.query<{ added: number; updated: number }>({
      text: `with touched as (${insert} ${onConflict[existing]} returning xmax = 0 as is_new)
        select count(*) filter (where is_new)::int as added, count(*) filter (where not is_new)::int as updated
        from touched`,
      values: [
        tenantId,
        devices.map((device) => device.deviceId),
        devices.map((device) => device.siteId),
        devices.map((device) => (device.tokenSha256 ? Buffer.from(device.tokenSha256) : null)),
        devices.map((device) => device.ratePerSecond),
        devices.map((device) => device.burst),
        devices.map((device) => device.maxSensors),
      ],
    });
    const { added = 0, updated = 0 } = rows[0] ?? {};
    return { added, updated, unchanged: devices.length - added - updated };
  } catch (error) {
    if (constraintOf(error) === 'devices_tenant_id_fkey') throw tenantNotFound(tenantId);
    throw error;
  }
}

function addSums(a: ImportSums, b: ImportSums): ImportSums {
  return { added: a.added + b.added, updated: a.updated + b.updated, unchanged: a.unchanged + b.unchanged };
}
