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
}

interface Cap {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** Windows kept at most are twice this. */
const maxWindows = 20_000;

export function createRouteCaps(): RouteCaps {
  const counts = createWindowCounts({ maxWindows });
  // One message after the other falls into the same window: its key need not be written again.
  const latest = new WeakMap<RouteRule, { readonly window: number; readonly count: WindowCount }>();
  const countOf = (route: RouteRule, { ratePerSecond, burst }: Cap, window: number): WindowCount => {
    const known = latest.get(route);
    if (known?.window === window) return known.count;
    const count = counts.at(`${route.routeId}/${ratePerSecond}/${burst}/${window}`);
    latest.set(route, { window, count });
    return count;
  };
  return {
    take(route, arrivedAtMs) {
      const cap = capOf(route);
      const window = Math.floor((arrivedAtMs * cap.ratePerSecond) / (cap.burst * 1_000));
      const count = countOf(route, cap, window);
      if (count.own >= cap.burst) return false;
      count.own += 1;
      return true;
    },
  };
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
