import { type Conditions, createConditions } from '../../listings/conditions.ts';
import { countSelection, type SelectedCount, type Selection } from '../../listings/selection.ts';
import type { Queryable } from '../../statements/queryable.ts';

/** Which dead letters. */
export interface DeadLetterSelection extends Selection {
  /** The route's name. */
  readonly route?: string | undefined;
}

export function selectionConditions(selection: DeadLetterSelection): Conditions {
  const conditions = createConditions();
  conditions.add('d.tenant_id = ?', selection.tenantId);
  conditions.add('d.route_name = ?', selection.route);
  conditions.add('d.reason = ?', selection.reason);
  conditions.add('d.dead_letter_id = any(?::bigint[])', selection.ids);
  conditions.add(
    `d.dead_at < timestamptz 'epoch' + ?::float8 * interval '1 millisecond'`,
    selection.beforeMs,
  );
  return conditions;
}

/** As the audit log notes it. */
export function selectionText({ tenantId, route, reason, ids, beforeMs }: DeadLetterSelection): string {
  return JSON.stringify({
    tenant_id: tenantId,
    route,
    reason,
    ids: ids?.map(String),
    before: beforeMs === undefined ? undefined : new Date(beforeMs).toISOString(),
  });
}

export function countDeadLetters(db: Queryable, selection: DeadLetterSelection): Promise<SelectedCount> {
  return countSelection(db, { from: 'dead_letters d', id: 'dead_letter_id' }, selectionConditions(selection));
}
