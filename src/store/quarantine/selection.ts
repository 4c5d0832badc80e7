import type { Conditions } from '../listings/conditions.ts';
import { conditionsOf, type Selection } from '../listings/selection.ts';

/** Which quarantined messages. */
export interface QuarantineSelection extends Selection {
  readonly deviceId?: string | undefined;
}

const columns = {
  tenantId: 'tenant_id',
  reason: 'reason',
  id: 'quarantine_id',
  putAt: 'quarantined_at',
} as const;

export function selectionConditions(selection: QuarantineSelection): Conditions {
  const conditions = conditionsOf(selection, columns);
  conditions.add('device_id = ?', selection.deviceId);
  return conditions;
}

/** As the database notes it. */
export function selectionText(selection: QuarantineSelection): string {
  const { tenantId, deviceId, reason, ids, beforeMs } = selection;
  return JSON.stringify({
    tenant_id: tenantId,
    device_id: deviceId,
    reason,
    ids: ids?.map(String),
    before: beforeMs === undefined ? undefined : new Date(beforeMs).toISOString(),
  });
}
