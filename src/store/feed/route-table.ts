import type { RouteRule } from '../../model/route.ts';

/** The routes of all tenants in memory. */
export interface RouteTable {
  /** The enabled ones, by id; the same array until one of the tenant's routes changes. */
  of(tenantId: string): readonly RouteRule[];
  set(route: RouteRule): void;
  delete(tenantId: string, routeId: number): void;
}

const none: readonly RouteRule[] = [];

export function createRouteTable(): RouteTable {
  const tenants = new Map<string, Map<number, RouteRule>>();
  const enabled = new Map<string, readonly RouteRule[]>();
  return {
    of(tenantId) {
      const known = enabled.get(tenantId);
      if (known !== undefined) return known;
      const routes = tenants.get(tenantId);
      if (routes === undefined) return none;
      const rules = [...routes.values()]
        .filter((route) => route.enabled)
        .sort((a, b) => a.routeId - b.routeId);
      enabled.set(tenantId, rules);
      return rules;
    },
    set(route) {
      const routes = tenants.get(route.tenantId) ?? new Map<number, RouteRule>();
      tenants.set(route.tenantId, routes);
      routes.set(route.routeId, route);
      enabled.delete(route.tenantId);
    },
    delete(tenantId, routeId) {
      const routes = tenants.get(tenantId);
      if (routes?.delete(routeId) !== true) return;
      if (routes.size === 0) tenants.delete(tenantId);
      enabled.delete(tenantId);
    },
  };
}
