import { parseExactJson } from '../../model/exact-json.ts';
import type { DeviceId, MsgType, TenantId } from '../../model/identifiers.ts';
import type { RouteRule } from '../../model/route.ts';
import { createConditionCompiler } from '../../model/route-condition.ts';
import type { StoredMessage } from '../../store/routes/select-messages.ts';
import { createRouteMatcher } from '../../worker/routing/route-matcher.ts';

/** `error`: the condition could not be evaluated, which is no match. */
export type StoredMatch = 'match' | 'no match' | 'error';

/** Says of stored messages what the workers would say of them. A route that is off matches as if it were on. */
export function createStoredMatcher(rule: RouteRule): (message: StoredMessage) => StoredMatch {
  const rules = [rule];
  const matcher = createRouteMatcher({
    routes: { routesOf: () => rules },
    compile: createConditionCompiler(),
  });
  return (message) => {
    const matches = matcher.matchReading({
      ...message,
      // As they were checked when they were stored.
      tenantId: message.tenantId as TenantId,
      deviceId: message.deviceId as DeviceId,
      msgType: message.msgType as MsgType,
      arrivedAtMs: Date.parse(message.arrivedAt),
      metrics: parseExactJson(message.metricsText) as Record<string, unknown>,
    });
    if (matches === undefined) return 'no match';
    if (matches.matched.length > 0) return 'match';
    return matches.failed.length > 0 ? 'error' : 'no match';
  };
}
