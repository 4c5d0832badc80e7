import type { Queryable } from '../statements/queryable.ts';

/**
 * Forgets what was deleted from the registry long ago, and in the same moment raises the version from which caches can
 * go on: one that is further behind loads everything anew. @returns how many went.
 */
export async function purgeTombstones(db: Queryable, keepDays: number): Promise<number> {
  const { rows } = await db.query<{ purged: number }>({
    text: `
      with gone_entries as (
        delete from registry_tombstones where buried_at < now() - $1 * interval '1 day' returning version
      ),
      gone_routes as (
        delete from route_tombstones where buried_at < now() - $1 * interval '1 day' returning version
      ),
      gone as (select version from gone_entries union all select version from gone_routes),
      raised as (
        update registry_version
        set tombstones_purged_to = greatest(tombstones_purged_to, (select max(version) from gone))
        where exists (select from gone)
      )
      select count(*)::int as purged from gone`,
    values: [keepDays],
  });
  return rows[0]?.purged ?? 0;
}
