import { Qlobber } from 'qlobber';
import { conditionLimits } from '../../model/condition-bounds.ts';
import type { ConditionContext } from '../../model/condition-context.ts';
import { isRawNumber, mayLoseValue, type RawNumber } from '../../model/exact-json.ts';
import { type RouteRule, type RoutesView, type RouteTrigger, routedTopic } from '../../model/route.ts';
import type { CompileCondition, Condition } from '../../model/route-condition.ts';
import type { Reading } from '../../model/verdict.ts';
import { type CompiledRoute, createRouteIndex, type Matches, type RouteIndex } from './route-index.ts';

export interface RouteMatcher {
  /** Undefined, and next to free, where the tenant has no route that fires on messages. */
  matchReading(reading: Reading): Matches | undefined;
  matchStatus(change: StatusToMatch): Matches | undefined;
  /** Whether a tenant has a route that fires on a device going silent or coming back. */
  followsStatus(tenantId: string): boolean;
}

export interface StatusToMatch {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly status: string;
  readonly previous: string;
  readonly sinceMs: number;
}

export interface RouteMatcherOptions {
  readonly routes: RoutesView;
  readonly compile: CompileCondition;
}

/** Never throws: what is wrong with a route is counted against the route. */
export function createRouteMatcher({ routes, compile }: RouteMatcherOptions): RouteMatcher {
  // By the array of a tenant's routes: when one of them changes there is another array.
  const compiled = new WeakMap<readonly RouteRule[], CompiledRoutes>();
  const of = (tenantId: string): CompiledRoutes | undefined => {
    const rules = routes.routesOf(tenantId);
    if (rules.length === 0) return undefined;
    let found = compiled.get(rules);
    if (found === undefined) {
      found = compileRoutes(rules, compile);
      compiled.set(rules, found);
    }
    return found;
  };
  return {
    matchReading(reading) {
      const set = of(reading.tenantId)?.message;
      if (set === undefined) return undefined;
      const { tenantId, deviceId, msgType } = reading;
      return set
        .of(tenantId, deviceId, msgType)
        .match(reading.metrics, () => readingContext(reading, set.needs));
    },
    matchStatus(change) {
      const set = of(change.tenantId)?.status;
      if (set === undefined) return undefined;
      return set.of(change.tenantId, change.deviceId, 'status').match({}, () => statusContext(change));
    },
    followsStatus: (tenantId) => of(tenantId)?.status !== undefined,
  };
}

/** `undefined`: no route of the tenant fires on it. */
type CompiledRoutes = Readonly<Record<RouteTrigger, RouteSet | undefined>>;

interface RouteSet {
  /** Of those whose filter matches the device's topic. */
  of(tenantId: string, deviceId: string, lastLevel: string): RouteIndex;
  readonly needs: ReadonlySet<string>;
}

function compileRoutes(rules: readonly RouteRule[], compile: CompileCondition): CompiledRoutes {
  const set = (trigger: RouteTrigger) => {
    const firing = rules.filter((rule) => rule.firesOn.includes(trigger));
    return firing.length === 0
      ? undefined
      : createRouteSet(firing.map((rule) => compileRoute(rule, compile)));
  };
  return { message: set('message'), status: set('status') };
}

const failing: Condition = { evaluate: () => 'error', needs: new Set(), plain: [], isPlain: false };

function compileRoute(rule: RouteRule, compile: CompileCondition): CompiledRoute {
  if (rule.condition === undefined) return { rule, condition: undefined };
  try {
    return { rule, condition: compile(rule.condition) };
  } catch {
    // Written with SQL, or by another release: it was checked when it was made. Its errors are counted.
    return { rule, condition: failing };
  }
}

function createRouteSet(routes: readonly CompiledRoute[]): RouteSet {
  const filters = new Qlobber<CompiledRoute>({ separator: '/', wildcard_one: '+', wildcard_some: '#' });
  for (const route of routes) filters.add(route.rule.topicFilter, route);
  // The filters are the same to all devices that none of them names.
  const named = new Set(routes.flatMap(({ rule }) => rule.topicFilter.split('/')[deviceLevel] ?? []));
  const known = new Map<string, RouteIndex>();
  return {
    needs: new Set(routes.flatMap(({ condition }) => [...(condition?.needs ?? [])])),
    of(tenantId, deviceId, lastLevel) {
      const key = named.has(deviceId) ? `${lastLevel}/${deviceId}` : lastLevel;
      const before = known.get(key);
      if (before !== undefined) return before;
      const found = filters
        .match(routedTopic(tenantId, deviceId, lastLevel))
        .sort((a, b) => a.rule.routeId - b.rule.routeId);
      const index = createRouteIndex(found, lastLevel);
      known.set(key, index);
      return index;
    },
  };
}

/** Of `routedTopic`. */
const deviceLevel = 3;

function readingContext(reading: Reading, needs: ReadonlySet<string>): ConditionContext {
  const { msgType, deviceId, siteId, seq, timeUs, metricsText } = reading;
  return {
    msg_type: msgType,
    device_id: deviceId,
    site_id: siteId,
    status: '',
    previous: '',
    metrics: mayLoseValue.test(metricsText) ? withoutRaw(reading.metrics) : reading.metrics,
    ...(needs.has('seq') ? { seq: BigInt(seq ?? -1) } : {}),
    ...(needs.has('time') ? { time: new Date(Math.floor(timeUs / 1_000)) } : {}),
    ...(needs.has('extra') ? extraOf(reading) : {}),
  };
}

/** Absent, so that a condition which asks for it fails, where there is too much to go through. */
function extraOf({ extraText }: Reading): Pick<ConditionContext, 'extra'> {
  if (extraText === undefined) return { extra: {} };
  if (extraText.length > conditionLimits.maxExtraChars) return {};
  return { extra: JSON.parse(extraText) as Record<string, unknown> };
}

function withoutRaw(metrics: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!Object.values(metrics).some(isRawNumber)) return metrics;
  return Object.fromEntries(
    Object.entries(metrics).map(([key, value]) => [key, isRawNumber(value) ? comparable(value) : value]),
  );
}

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/** What CEL can compare a number with that a double cannot hold: an int where it is one, else the nearest double. */
function comparable({ rawJSON }: RawNumber): bigint | number {
  if (/^-?\d{1,20}$/.test(rawJSON)) {
    const value = BigInt(rawJSON);
    if (value >= int64.min && value <= int64.max) return value;
  }
  return Number(rawJSON);
}

function statusContext({ deviceId, status, previous, sinceMs }: StatusToMatch): ConditionContext {
  return {
    msg_type: 'status',
    device_id: deviceId,
    site_id: '',
    status,
    previous,
    metrics: {},
    seq: -1n,
    time: new Date(sinceMs),
    extra: {},
  };
}
