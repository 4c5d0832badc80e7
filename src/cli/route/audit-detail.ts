import { inTableWords, JsonText, toJson } from '../output/json.ts';
import type { Draft } from './draft.ts';

/** A route's members as the audit log shows them; secrets are none of them. @param before only those that differ from it */
export function routeAuditDetail(draft: Draft, before?: Draft): Readonly<Record<string, unknown>> {
  const now = shown(draft);
  if (before === undefined) return now;
  const then = shown(before);
  return Object.fromEntries(
    Object.entries(now).filter(([name, value]) => toJson(value) !== toJson(then[name])),
  );
}

function shown({ tenantId: _, name: __, destination, ...members }: Draft): Readonly<Record<string, unknown>> {
  return { ...inTableWords(members), destination: new JsonText(JSON.stringify(destination)) };
}
