import type pg from 'pg';
import type { TenantId } from '../../model/identifiers.ts';
import { deleteReadings } from '../series/delete-readings.ts';
import type { Queryable } from '../statements/queryable.ts';
import { RegistryError, tenantNotFound } from './registry-error.ts';

/** Tables with rows of a tenant that no foreign key takes along. The audit log stays. */
const tables = [
  'sensors',
  'device_state',
  'quarantine',
  'mended_messages',
  'dead_letters',
  'route_totals',
  'device_status_history',
];

/**
 * Deletes a tenant that has no devices any more, with its keys and routes.
 * @throws RegistryError `tenant_has_devices`, `tenant_not_found`.
 */
export async function deleteTenant(db: Queryable, tenantId: TenantId): Promise<void> {
  const devices = await db.query<{ count: number }>({
    text: 'select count(*)::int as count from devices where tenant_id = $1',
    values: [tenantId],
  });
  const count = devices.rows[0]?.count ?? 0;
  if (count > 0) {
    throw new RegistryError(
      'tenant_has_devices',
      `Tenant ${tenantId} has ${count} devices: delete them first, or the tenant with its data.`,
    );
  }
  const { rowCount } = await db.query({
    text: 'delete from tenants where tenant_id = $1',
    values: [tenantId],
  });
  if (rowCount !== 1) throw tenantNotFound(tenantId);
}

/**
 * Deletes a tenant's devices, so that nothing new arrives, and then what they sent, a week at a time. When it is cut
 * off, the same call goes on. @returns how many readings it was
 */
export async function deleteTenantData(pool: pg.Pool, tenantId: TenantId): Promise<number> {
  await pool.query('delete from devices where tenant_id = $1', [tenantId]);
  const { rows: weeks } = await pool.query<{ week: Date }>('select week from telemetry_weeks order by week');
  let readings = 0;
  for (const { week } of weeks) readings += await deleteReadings(pool, week, tenantId);
  for (const table of tables) await pool.query(`delete from ${table} where tenant_id = $1`, [tenantId]);
  return readings;
}
