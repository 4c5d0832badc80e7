import type pg from 'pg';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { deleteReadings } from '../series/delete-readings.ts';
import type { Queryable } from '../statements/queryable.ts';
import { deviceNotFound } from './registry-error.ts';

export interface DeleteDeviceOptions {
  /** Also what it sent, and the hashes of its tokens: telemetry, sensors, state and quarantined messages. Default: all that stays. */
  readonly withData?: boolean;
  /** Called after each week of telemetry with the rows deleted so far. */
  readonly onProgress?: (deletedRows: number) => void;
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
  const registered = await unregisterDevice(pool, tenantId, deviceId);
  const data = options.withData ? await deleteDeviceData(pool, tenantId, deviceId, options) : noData;
  if (!registered && data.rows === 0) throw deviceNotFound(tenantId, deviceId);
  return { registered, telemetryRows: data.telemetryRows };
}

/** @returns false when it was not registered */
export async function unregisterDevice(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
): Promise<boolean> {
  const { rowCount } = await db.query({
    text: 'delete from devices where tenant_id = $1 and device_id = $2',
    values: [tenantId, deviceId],
  });
  return rowCount === 1;
}

const tables = [
  'sensors',
  'device_state',
  'device_status_history',
  'quarantine',
  'mended_messages',
  'device_token_history',
];
const noData = { rows: 0, telemetryRows: 0 };

/** What an unregistered device has sent, and the hashes of its tokens. */
export async function deleteDeviceData(
  pool: pg.Pool,
  tenantId: TenantId,
  deviceId: DeviceId,
  { onProgress }: DeleteDeviceOptions = {},
): Promise<{ rows: number; telemetryRows: number }> {
  const { rows: weeks } = await pool.query<{ week: Date }>('select week from telemetry_weeks order by week');
  let telemetryRows = 0;
  for (const { week } of weeks) {
    telemetryRows += await deleteReadings(pool, week, tenantId, deviceId);
    onProgress?.(telemetryRows);
  }
  let rows = telemetryRows;
  for (const table of tables) {
    const { rowCount } = await pool.query(`delete from ${table} where tenant_id = $1 and device_id = $2`, [
      tenantId,
      deviceId,
    ]);
    rows += rowCount ?? 0;
  }
  return { rows, telemetryRows };
}
