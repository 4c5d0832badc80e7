import { type Conditions, createConditions } from '../../listings/conditions.ts';
import type { Queryable } from '../../statements/queryable.ts';

/** Which dead letters: all that meet every part that is given. */
export interface DeadLetterSelection {
  readonly tenantId?: string | undefined;
  /** The route's name. */
  readonly route?: string | undefined;
  readonly reason?: string | undefined;
  readonly ids?: readonly bigint[] | undefined;
  /** Dead before this, ms since the epoch. */
  readonly beforeMs?: number | undefined;
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

export interface SelectedCount {
  readonly rows: number;
  /** The newest of them; 0 where there are none. */
  readonly newestId: bigint;
}

export async function countDeadLetters(
  db: Queryable,
  selection: DeadLetterSelection,
): Promise<SelectedCount> {
  const { where, values } = selectionConditions(selection);
  const { rows } = await db.query<{ rows: number; newest: bigint }>({
    text: `select count(*)::int as rows, coalesce(max(dead_letter_id), 0)::bigint as newest from dead_letters d ${where}`,
    values,
  });
  return { rows: rows[0]?.rows ?? 0, newestId: rows[0]?.newest ?? 0n };
}
