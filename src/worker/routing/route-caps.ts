import { type RouteRule, routeCapDefaults } from '../../model/route.ts';
import { createWindowCounts, type WindowCount } from '../window-counts.ts';

/**
 * How many jobs a route may cause. As with the rate limits, time is arrival time, cut into windows of burst ÷ rate
 * seconds, and a window holds `burst`: a backlog is capped as it would have been live. Each worker counts for itself, so
 * that with n workers a route may cause up to n times as many.
 */
export interface RouteCaps {
  /** Counts a job, or says that the route has had its share. */
  take(route: RouteRule, arrivedAtMs: number): boolean;
  /** Counts a job of each. Where all of them are on one side, it is the array that was given. */
  takeEach(routes: readonly RouteRule[], arrivedAtMs: number): Taken;
}

export interface Taken {
  readonly within: readonly RouteRule[];
  /** Those that have had their share. */
  readonly over: readonly RouteRule[];
}

interface Cap {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** Windows kept at most are twice this. */
const maxWindows = 20_000;

/** One message after the other falls into the same window: its key need not be written again. */
interface Known extends Cap {
  readonly window: number;
  readonly count: WindowCount;
}

export function createRouteCaps(): RouteCaps {
  const counts = createWindowCounts({ maxWindows });
  const known = new WeakMap<RouteRule, Known>();
  const spent = createSpent();
  const countAt = (routeId: number, { ratePerSecond, burst }: Cap, window: number): WindowCount =>
    counts.at(`${routeId}/${ratePerSecond}/${burst}/${window}`);
  const knownAt = (route: RouteRule, arrivedAtMs: number): Known => {
    const before = known.get(route);
    const cap = before ?? capOf(route);
    const window = numberOf(cap, arrivedAtMs);
    if (before?.window === window) return before;
    const now = { ...cap, window, count: countAt(route.routeId, cap, window) };
    known.set(route, now);
    return now;
  };
  const take = (route: RouteRule, arrivedAtMs: number): boolean => {
    const { burst, count } = knownAt(route, arrivedAtMs);
    if (count.own >= burst) return false;
    count.own += 1;
    return true;
  };
  return {
    take,
    takeEach: (routes, arrivedAtMs) => {
      if (spent.holds(routes, arrivedAtMs)) return { within: [], over: routes };
      const within: RouteRule[] = [];
      const over: RouteRule[] = [];
      for (const route of routes) (take(route, arrivedAtMs) ? within : over).push(route);
      if (over.length === 0) return { within: routes, over };
      if (within.length > 0) return { within, over };
      spent.add(routes, arrivedAtMs);
      return { within, over: routes };
    },
  };
}

/** Fewer than these are sooner asked one by one. */
const manyRoutes = 8;
const maxSpent = 10_000;

/**
 * The latest many routes of each tenant of which none had anything left, and from when to when: a flood that matches all
 * of them need not ask each one for each message.
 */
function createSpent() {
  const known = new Map<string, { readonly routes: readonly RouteRule[]; fromMs: number; toMs: number }>();
  return {
    holds(routes: readonly RouteRule[], arrivedAtMs: number): boolean {
      const [first] = routes;
      if (first === undefined || routes.length < manyRoutes) return false;
      const found = known.get(first.tenantId);
      return found?.routes === routes && arrivedAtMs >= found.fromMs && arrivedAtMs < found.toMs;
    },
    add(routes: readonly RouteRule[], arrivedAtMs: number): void {
      const [first] = routes;
      if (first === undefined || routes.length < manyRoutes) return;
      const windows = routes.map((route) => windowOf(capOf(route), arrivedAtMs));
      const fromMs = Math.max(...windows.map((each) => each.fromMs));
      const toMs = Math.min(...windows.map((each) => each.toMs));
      if (known.size >= maxSpent) known.clear();
      known.set(first.tenantId, { routes, fromMs, toMs });
    },
  };
}

function numberOf({ ratePerSecond, burst }: Cap, arrivedAtMs: number): number {
  return Math.floor((arrivedAtMs * ratePerSecond) / (burst * 1_000));
}

/** A ms less at both ends: what a division rounds away must not count. */
function windowOf(cap: Cap, arrivedAtMs: number): { readonly fromMs: number; readonly toMs: number } {
  const lengthMs = (cap.burst * 1_000) / cap.ratePerSecond;
  const number = numberOf(cap, arrivedAtMs);
  return { fromMs: number * lengthMs + 1, toMs: (number + 1) * lengthMs - 1 };
}

function capOf({ ratePerSecond, burst }: RouteRule): Cap {
  const rate = ratePerSecond ?? routeCapDefaults.ratePerSecond;
  return {
    ratePerSecond: rate,
    // Who names only a rate means ten seconds of it, as the defaults do.
    burst:
      burst ?? (ratePerSecond === undefined ? routeCapDefaults.burst : Math.max(1, Math.ceil(rate * 10))),
  };
}

/** The `detail` of a job that was refused. */
export function overCap(route: RouteRule): string {
  const { ratePerSecond, burst } = capOf(route);
  return `over the route's own cap of ${ratePerSecond} a second, ${burst} at once`;
}
