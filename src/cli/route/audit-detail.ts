import { isDeepStrictEqual } from 'node:util';
import { inTableWords } from '../output/json.ts';
import type { Draft } from './draft.ts';

/** A route's members as the audit log shows them; secrets are none of them. @param before only those that differ from it */
export function routeAuditDetail(draft: Draft, before?: Draft): Readonly<Record<string, unknown>> {
  const now = shown(draft);
  if (before === undefined) return now;
  const then = shown(before);
  return Object.fromEntries(
    Object.entries(now).filter(([name, value]) => !isDeepStrictEqual(value, then[name])),
  );
}

/** Taken one by one: a stored route has more, and its members' order is the database's. */
function shown(draft: Draft): Readonly<Record<string, unknown>> {
  const { topicFilter, condition, firesOn, destination, ratePerSecond, burst, enabled } = draft;
  return {
    ...inTableWords({ topicFilter, condition, firesOn, ratePerSecond, burst, enabled }),
    // Without the members that are undefined.
    destination: JSON.parse(JSON.stringify(destination)),
  };
}
