import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface LimitedDevice {
  readonly tenant_id: string | null;
  readonly device_id: string | null;
  /** Messages. */
  readonly limited: number;
}

/**
 * Which devices were over a limit in the last ten minutes, most first; 100 at most. Looks at the latest 20,000 of the
 * quarantine only, so that it costs the same however much lies there.
 * @param tenantId undefined: of all
 */
export async function listLimited(db: Queryable, tenantId: TenantId | undefined): Promise<LimitedDevice[]> {
  const { rows } = await db.query<LimitedDevice>({
    text: `select tenant_id, device_id, count(*)::int as limited from (
        select tenant_id, device_id, reason, quarantined_at from quarantine
        ${tenantId === undefined ? '' : 'where tenant_id = $1'}
        order by quarantine_id desc limit 20000) latest
      where reason = 'RATE_LIMITED' and quarantined_at > now() - interval '10 minutes'
      group by 1, 2 order by 3 desc, 1, 2 limit 100`,
    values: tenantId === undefined ? [] : [tenantId],
  });
  return rows;
}
