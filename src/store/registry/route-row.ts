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

export interface RouteRow {
  readonly route_id: number;
  readonly tenant_id: TenantId;
  readonly name: string;
  readonly topic_filter: string;
  readonly condition: string | null;
  readonly fires_on: RouteTrigger[];
  readonly destination: string;
  readonly has_secrets: boolean;
  readonly rate_per_second: number | null;
  readonly burst: number | null;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const routeColumns = `route_id, tenant_id, name, topic_filter, condition, fires_on, destination,
  secrets is not null as has_secrets, rate_per_second, burst, enabled, disabled_reason, created_at, updated_at`;

export function toRoute(row: RouteRow): StoredRoute {
  return {
    routeId: row.route_id,
    tenantId: row.tenant_id,
    name: row.name,
    topicFilter: row.topic_filter,
    condition: row.condition ?? undefined,
    firesOn: row.fires_on,
    destination: row.destination,
    hasSecrets: row.has_secrets,
    ratePerSecond: row.rate_per_second ?? undefined,
    burst: row.burst ?? undefined,
    enabled: row.enabled,
    disabledReason: row.disabled_reason ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
