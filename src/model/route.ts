import type { TenantId } from './identifiers.ts';
import type { Destination } from './route-destination.ts';

/**
 * A route: which accepted messages of a tenant, and which changes of its devices' status, go to which destination.
 * docs/routes.md says what a user sees of it.
 */

export type RouteTrigger = 'message' | 'status';

export const routeTriggers: readonly RouteTrigger[] = ['message', 'status'];

/** What decides whether a route fires. */
export interface RouteRule {
  readonly routeId: number;
  readonly tenantId: TenantId;
  /** Unique within the tenant. */
  readonly name: string;
  /** MQTT wildcards, over the device's topic: see `routedTopic`. */
  readonly topicFilter: string;
  /** CEL; undefined: always. */
  readonly condition: string | undefined;
  readonly firesOn: readonly RouteTrigger[];
  /** Jobs a second that it may cause, counted by arrival time; undefined: `routeCapDefaults`. */
  readonly ratePerSecond: number | undefined;
  readonly burst: number | undefined;
  readonly enabled: boolean;
}

export interface Route extends RouteRule {
  readonly destination: Destination;
}

/** Where a route says nothing. */
export const routeCapDefaults = { ratePerSecond: 100, burst: 1_000 } as const;

/** What the matching may ask. Implemented by `store/registry-feed.ts`. */
export interface RoutesView {
  /** The enabled routes of a tenant; the same array for as long as none of them changed. */
  routesOf(tenantId: string): readonly RouteRule[];
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const routeNameRule = '1 to 64 of A-Z a-z 0-9 . _ -, starting with a letter or digit';

export function isRouteName(value: unknown): value is string {
  return typeof value === 'string' && namePattern.test(value);
}

/**
 * The topic that filters are compared with, whatever door a message came through. A change of status has `status` where
 * a message has its msg_type.
 */
export function routedTopic(tenantId: string, deviceId: string, lastLevel: string): string {
  return `tenant/${tenantId}/device/${deviceId}/${lastLevel}`;
}
