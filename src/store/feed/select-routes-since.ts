import type { RouteRule } from '../../model/route.ts';
import { type RouteRuleRow, routeRuleColumns, routeRuleOf } from '../registry/route-row.ts';
import type { Queryable } from '../statements/queryable.ts';

/** Routes that changed after a version. */
export async function selectRoutesSince(db: Queryable, version: number): Promise<RouteRule[]> {
  const { rows } = await db.query<RouteRuleRow>({
    name: 'routes-since',
    text: `select ${routeRuleColumns} from routes where version > $1 order by route_id`,
    values: [version],
  });
  return rows.map(routeRuleOf);
}

/** Routes that were deleted after a version. */
export async function selectRouteTombstonesSince(
  db: Queryable,
  version: number,
): Promise<{ readonly tenantId: string; readonly routeId: number }[]> {
  const { rows } = await db.query<{ tenant_id: string; route_id: number }>({
    name: 'route-tombstones-since',
    text: 'select tenant_id, route_id from route_tombstones where version > $1',
    values: [version],
  });
  return rows.map((row) => ({ tenantId: row.tenant_id, routeId: row.route_id }));
}
