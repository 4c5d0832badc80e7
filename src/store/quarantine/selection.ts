import { type Conditions, createConditions } from '../listings/conditions.ts';

/** Which quarantined messages: all that meet every part that is given. */
export interface QuarantineSelection {
  readonly tenantId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly reason?: string | undefined;
  readonly ids?: readonly bigint[] | undefined;
  /** Quarantined before this, ms since the epoch. */
  readonly beforeMs?: number | undefined;
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
