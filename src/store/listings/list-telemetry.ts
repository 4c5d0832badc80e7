import type { Queryable } from '../statements/queryable.ts';
import { createConditions, givenMoment, isoTime } from './conditions.ts';

export interface TelemetryFilter {
  /** Undefined: all tenants, for operators. */
  readonly tenantId: string | undefined;
  readonly deviceId?: string | undefined;
  /** Event time, ms since the epoch: not older than this. */
  readonly sinceMs?: number | undefined;
  readonly limit: number;
}

export interface TelemetryRow {
  /** Event time, ISO 8601 with microseconds. */
  readonly time: string;
  readonly tenant_id: string;
  readonly device_id: string;
  readonly site_id: string;
  readonly msg_type: string;
  readonly seq: bigint | null;
  /** JSON text, numbers as sent. */
  readonly metrics: string;
  readonly extra: string | null;
  readonly arrived_at: string;
}

/** The last readings by event time, newest first. */
export async function listTelemetry(db: Queryable, filter: TelemetryFilter): Promise<TelemetryRow[]> {
  const conditions = createConditions();
  conditions.add('tenant_id = ?', filter.tenantId);
  conditions.add('device_id = ?', filter.deviceId);
  conditions.add(`time >= ${givenMoment}`, filter.sinceMs);
  const { rows } = await db.query<TelemetryRow>({
    text: `
      select ${isoTime('time')} as time, tenant_id, device_id, site_id, msg_type, seq, metrics, extra,
             ${isoTime('arrived_at')} as arrived_at
      from telemetry t ${conditions.where}
      order by t.time desc, identity limit ${Math.trunc(filter.limit)}`,
    values: conditions.values,
  });
  return rows;
}
