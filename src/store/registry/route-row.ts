import type { TenantId } from '../../model/identifiers.ts';
import type { RouteRule, RouteTrigger } from '../../model/route.ts';

/** A route as it is stored. Its secrets are not in it. */
export interface StoredRoute extends RouteRule {
  /** JSON text: see `parseDestination`. */
  readonly destination: string;
  readonly hasSecrets: boolean;
  /** Why it was disabled other than by a person. */
  readonly disabledReason: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a worker goes by. */
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

export const routeRuleColumns =
  'route_id, tenant_id, name, topic_filter, condition, fires_on, rate_per_second, burst, enabled';

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

export interface RouteRow extends RouteRuleRow {
  readonly destination: string;
  readonly has_secrets: boolean;
  readonly disabled_reason: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const routeColumns = `${routeRuleColumns}, destination, has_secrets, disabled_reason,
  created_at, updated_at`;

export function toRoute(row: RouteRow): StoredRoute {
  return {
    ...routeRuleOf(row),
    destination: row.destination,
    hasSecrets: row.has_secrets,
    disabledReason: row.disabled_reason ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
