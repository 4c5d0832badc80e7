import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

/** A site is what its devices name: there is no table of them. */
export interface Site {
  readonly site_id: string;
  readonly devices: number;
  readonly online: number;
  readonly stale: number;
  readonly offline: number;
  /** Registered, and never heard of. */
  readonly silent: number;
  readonly revoked: number;
}

export interface SitePage {
  readonly afterSiteId: string | undefined;
  readonly limit: number;
}

/** A tenant's sites by id, with how many devices are there in which state. */
export async function listSites(db: Queryable, tenantId: TenantId, page: SitePage): Promise<Site[]> {
  const { rows } = await db.query<Site>({
    text: `select d.site_id, count(*)::int as devices,
        count(*) filter (where s.status = 'ONLINE')::int as online,
        count(*) filter (where s.status = 'STALE')::int as stale,
        count(*) filter (where s.status = 'OFFLINE')::int as offline,
        count(*) filter (where s.status is null)::int as silent,
        count(d.revoked_at)::int as revoked
      from devices d left join device_state s using (tenant_id, device_id)
      where d.tenant_id = $1 and ($2::text is null or d.site_id collate "C" > $2)
      group by d.site_id order by d.site_id collate "C" limit $3`,
    values: [tenantId, page.afterSiteId, page.limit],
  });
  return rows;
}
