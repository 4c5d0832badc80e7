import type { RoutesView } from '../../model/route.ts';
import { createRouteTable } from '../feed/route-table.ts';
import { type RouteRuleRow, routeRuleColumns, routeRuleOf } from '../registry/route-row.ts';
import type { Queryable } from '../statements/queryable.ts';

/** The routes of some tenants, as they are now. */
export async function selectRoutesOf(db: Queryable, tenantIds: readonly string[]): Promise<RoutesView> {
  const { rows } = await db.query<RouteRuleRow>({
    name: 'routes-of',
    text: `select ${routeRuleColumns} from routes where tenant_id = any($1)`,
    values: [tenantIds],
  });
  const table = createRouteTable();
  for (const row of rows) table.set(routeRuleOf(row));
  return { routesOf: table.of };
}
