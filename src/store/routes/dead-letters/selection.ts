import type { Conditions } from '../../listings/conditions.ts';
import {
  conditionsOf,
  countSelection,
  type SelectedCount,
  type Selection,
} from '../../listings/selection.ts';
import type { Queryable } from '../../statements/queryable.ts';

/** Which dead letters. */
export interface DeadLetterSelection extends Selection {
  /** The route's name. */
  readonly route?: string | undefined;
}

const columns = {
  tenantId: 'd.tenant_id',
  reason: 'd.reason',
  id: 'd.dead_letter_id',
  putAt: 'd.dead_at',
} as const;

export function selectionConditions(selection: DeadLetterSelection): Conditions {
  const conditions = conditionsOf(selection, columns);
  conditions.add('d.route_name = ?', selection.route);
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
