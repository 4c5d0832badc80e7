import { telemetrySubjectPrefix } from '../model/envelope.ts';
import { unknownBudget } from '../model/quarantine-limits.ts';
import type { RegistryView } from '../model/registry.ts';
import { addToQuarantineTotals, type QuarantineTotals } from '../store/quarantine/add-to-totals.ts';
import { insertQuarantine } from '../store/statements/insert-quarantine.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import type { Claimed, PlanEntry } from './plan.ts';
import type { QuarantineRoom } from './quarantine-room.ts';
import { quarantineRow } from './quarantine-row.ts';

export interface KeepOptions {
  readonly registry: Pick<RegistryView, 'tenant'>;
  readonly room: QuarantineRoom;
}

/**
 * Puts what was refused into the quarantine, as far as there is room; what there is no room for is evicted at once.
 * @returns what counts them all: to be called last in the transaction, since the rows it locks are hot.
 */
export async function keepRejected(
  db: Queryable,
  epoch: number,
  messages: readonly Claimed<PlanEntry>[],
  { registry, room }: KeepOptions,
): Promise<() => Promise<void>> {
  const totals = new Map<string, QuarantineTotals>();
  const rows = messages.flatMap((message) => {
    const { entry, verdict } = message;
    if (verdict.outcome !== 'quarantine') return [];
    const budget = budgetOf(entry.message.subject, registry);
    entry.kept ??= room.take(budget, entry.message.data.length);
    count(totals, budget, verdict.rejection.reason, entry.kept);
    return entry.kept ? (quarantineRow(message, epoch, budget) ?? []) : [];
  });
  if (rows.length > 0) await insertQuarantine(db, rows);
  return async () => {
    if (totals.size > 0) await addToQuarantineTotals(db, [...totals.values()]);
  };
}

/**
 * The subject's tenant. Made-up ones share a budget, or each of them would open another; so do subjects that name none,
 * whatever their envelopes say.
 */
function budgetOf(subject: string, registry: Pick<RegistryView, 'tenant'>): string {
  if (!subject.startsWith(telemetrySubjectPrefix)) return unknownBudget;
  const tenantId = subject.slice(telemetrySubjectPrefix.length);
  return registry.tenant(tenantId) === undefined ? unknownBudget : tenantId;
}

function count(totals: Map<string, QuarantineTotals>, budget: string, reason: string, kept: boolean): void {
  const key = `${budget}/${reason}`;
  const known = totals.get(key);
  totals.set(key, {
    budget,
    reason,
    quarantined: (known?.quarantined ?? 0) + 1,
    evicted: (known?.evicted ?? 0) + (kept ? 0 : 1),
  });
}
