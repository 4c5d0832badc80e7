import type pg from 'pg';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { inTransaction } from '../transaction.ts';
import { beginBulkDelete } from './rollup-lock.ts';

/**
 * Deletes a week of readings of a tenant, or of one device of it, with their roll-ups.
 * @param week when it begins
 * @returns how many readings
 */
export function deleteReadings(
  pool: pg.Pool,
  week: Date,
  tenantId: TenantId,
  deviceId?: DeviceId,
): Promise<number> {
  const whose = `tenant_id = $1${deviceId === undefined ? '' : ' and device_id = $3'}`;
  const values = [tenantId, week, ...(deviceId === undefined ? [] : [deviceId])];
  const deleteFrom = (table: string, time: string) =>
    `delete from ${table} where ${whose} and ${time} >= $2::timestamptz and ${time} < $2::timestamptz + interval '7 days'`;
  return inTransaction(
    pool,
    async (client) => {
      const { rowCount } = await client.query(deleteFrom('telemetry', 'time'), values);
      await client.query(deleteFrom('telemetry_rollup', 'bucket'), values);
      return rowCount ?? 0;
    },
    beginBulkDelete,
  );
}
