import type { Queryable } from '../statements/queryable.ts';

/** Forgets what devices were before retention; the last span of each stays, which may still last. @returns how many */
export async function forgetStatusHistory(db: Queryable, retentionDays: number): Promise<number> {
  const { rowCount } = await db.query({
    text: `delete from device_status_history h where since < now() - $1::float8 * interval '1 day'
      and exists (select from device_status_history n
                  where n.tenant_id = h.tenant_id and n.device_id = h.device_id and n.since > h.since)`,
    values: [retentionDays],
  });
  return rowCount ?? 0;
}
