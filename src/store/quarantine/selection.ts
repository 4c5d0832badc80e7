import { type Conditions, createConditions } from '../listings/conditions.ts';
import type { Selection } from '../listings/selection.ts';

/** Which quarantined messages. */
export interface QuarantineSelection extends Selection {
  readonly deviceId?: string | undefined;
}

export function selectionConditions(selection: QuarantineSelection): Conditions {
  const conditions = createConditions();
  conditions.add('tenant_id = ?', selection.tenantId);
  conditions.add('device_id = ?', selection.deviceId);
  conditions.add('reason = ?', selection.reason);
  conditions.add('quarantine_id = any(?::bigint[])', selection.ids);
  conditions.add(
    `quarantined_at < timestamptz 'epoch' + ?::float8 * interval '1 millisecond'`,
    selection.beforeMs,
  );
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
