import type pg from 'pg';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { deleteReadings } from '../series/delete-readings.ts';
import type { Queryable } from '../statements/queryable.ts';
import { inTransaction } from '../transaction.ts';
import { deviceNotFound } from './registry-error.ts';

export interface DeleteDeviceOptions {
  /** Also what it sent, and the hashes of its tokens: telemetry, sensors, state and quarantined messages. Default: all that stays. */
  readonly withData?: boolean;
  /** Called after each week of telemetry with the rows deleted so far. */
  readonly onProgress?: (deletedRows: number) => void;
  /** Called in the transaction that takes it out of the registry. @param registered false: only data was left */
  readonly onUnregistered?: (db: Queryable, registered: boolean) => Promise<void>;
}

export interface DeletedDevice {
  /** False when the device was not registered any more and only data was left. */
  readonly registered: boolean;
  readonly telemetryRows: number;
}

/**
 * Deletes a device from the registry first, so that nothing new arrives while its data goes, a week at a time. When it
 * is cut off the same call goes on, although the device is not registered any more.
 * @throws RegistryError `device_not_found` when there is neither a device nor, with `withData`, data of it.
 */
export async function deleteDevice(
  pool: pg.Pool,
  tenantId: TenantId,
  deviceId: DeviceId,
  options: DeleteDeviceOptions = {},
): Promise<DeletedDevice> {
  const { withData = false, onUnregistered } = options;
  const registered = await inTransaction(pool, async (client) => {
    const wasThere = await unregisterDevice(client, tenantId, deviceId, { withData });
    await onUnregistered?.(client, wasThere);
    return wasThere;
  });
  const telemetryRows = withData ? await deleteDeviceData(pool, tenantId, deviceId, options) : 0;
  return { registered, telemetryRows };
}

/**
 * @param withData its data is to go next
 * @returns false when it was not registered
 * @throws RegistryError as `deleteDevice` does
 */
export async function unregisterDevice(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
  { withData }: { readonly withData: boolean },
): Promise<boolean> {
  const { rowCount } = await db.query({
    text: 'delete from devices where tenant_id = $1 and device_id = $2',
    values: [tenantId, deviceId],
  });
  if (rowCount === 1) return true;
  if (withData && (await hasData(db, tenantId, deviceId))) return false;
  throw deviceNotFound(tenantId, deviceId);
}

const tables = [
  'sensors',
  'device_state',
  'device_status_history',
  'quarantine',
  'mended_messages',
  'device_token_history',
];

async function hasData(db: Queryable, tenantId: TenantId, deviceId: DeviceId): Promise<boolean> {
  const found = ['telemetry', ...tables].map(
    (table) => `exists (select from ${table} where tenant_id = $1 and device_id = $2)`,
  );
  const { rows } = await db.query<{ found: boolean }>({
    text: `select ${found.join(' or ')} as found`,
    values: [tenantId, deviceId],
  });
  return rows[0]?.found === true;
}

/** What an unregistered device has sent, and the hashes of its tokens. @returns how many readings it was */
export async function deleteDeviceData(
  pool: pg.Pool,
  tenantId: TenantId,
  deviceId: DeviceId,
  { onProgress }: DeleteDeviceOptions = {},
): Promise<number> {
  const { rows: weeks } = await pool.query<{ week: Date }>('select week from telemetry_weeks order by week');
  let telemetryRows = 0;
  for (const { week } of weeks) {
    telemetryRows += await deleteReadings(pool, week, tenantId, deviceId);
    onProgress?.(telemetryRows);
  }
  for (const table of tables) {
    await pool.query(`delete from ${table} where tenant_id = $1 and device_id = $2`, [tenantId, deviceId]);
  }
  return telemetryRows;
}
