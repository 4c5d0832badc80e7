import { createConditionCompiler } from '../../model/route-condition.ts';
import { selectRoutesOf } from '../../store/routes/select-routes-of.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import type { Claimed } from '../plan.ts';
import { createRouteMatcher } from '../routing/route-matcher.ts';
import { createRouting } from '../routing/routing.ts';

/**
 * What a replay stores is accepted, and so it is routed, by the routes as they are now. As it is charged to no limiter,
 * no route's cap refuses it. A worker publishes the jobs within a second.
 */
export async function routeAgain(db: Queryable, candidates: readonly Claimed[]): Promise<void> {
  const tenants = new Set(
    candidates.flatMap(({ outcome, verdict }) =>
      outcome === 'stored' && verdict.outcome === 'accept' ? verdict.reading.tenantId : [],
    ),
  );
  if (tenants.size === 0) return;
  const routes = await selectRoutesOf(db, [...tenants]);
  const routing = createRouting({
    matcher: createRouteMatcher({ routes, compile: createConditionCompiler() }),
    caps: { takeEach: (within) => ({ within, over: [] }) },
    room: { take: () => true },
    ownForMs: 0,
    publish: () => undefined,
    isFull: () => false,
    metrics: { routed: () => undefined },
  });
  await routing.record(db, candidates);
}
