import type { TenantId } from '../../model/identifiers.ts';
import type { RouteRule, RouteTrigger } from '../../model/route.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface RouteRuleRow {
  readonly route_id: number;
  readonly tenant_id: TenantId;
  readonly name: string;
  readonly topic_filter: string;
  readonly condition: string | null;
  readonly fires_on: RouteTrigger[];
  readonly rate_per_second: number | null;
  readonly burst: number | null;
  readonly enabled: boolean;
}

export const routeRuleColumns = `route_id, tenant_id, name, topic_filter, condition, fires_on, rate_per_second, burst, enabled`;

/** Routes that changed after a version. */
export async function selectRoutesSince(db: Queryable, version: number): Promise<RouteRule[]> {
  const { rows } = await db.query<RouteRuleRow>({
    name: 'routes-since',
    text: `select ${routeRuleColumns} from routes where version > $1 order by route_id`,
    values: [version],
  });
  return rows.map(routeRuleOf);
}

export function routeRuleOf(row: RouteRuleRow): RouteRule {
  return {
    routeId: row.route_id,
    tenantId: row.tenant_id,
    name: row.name,
    topicFilter: row.topic_filter,
    condition: row.condition ?? undefined,
    firesOn: row.fires_on,
    ratePerSecond: row.rate_per_second ?? undefined,
    burst: row.burst ?? undefined,
    enabled: row.enabled,
  };
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
