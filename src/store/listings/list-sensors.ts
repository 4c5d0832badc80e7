import type { Queryable } from '../statements/queryable.ts';
import { createConditions, isoTime } from './conditions.ts';

export interface SensorFilter {
  /** Undefined: all tenants, for operators. */
  readonly tenantId: string | undefined;
  readonly deviceId?: string | undefined;
  /** Metrics after this one, bytewise. */
  readonly afterMetric?: string | undefined;
  readonly limit: number;
}

export interface SensorRow {
  readonly tenant_id: string;
  readonly device_id: string;
  readonly metric: string;
  readonly value_type: string;
  readonly unit: string | null;
  /** JSON text, as sent. */
  readonly latest: string;
  /** Event time of the latest value, ISO 8601 with microseconds. */
  readonly latest_time: string;
  readonly discovered_at: string;
}

/** Discovered sensors with their latest values, by tenant, device and metric. */
export async function listSensors(db: Queryable, filter: SensorFilter): Promise<SensorRow[]> {
  const conditions = createConditions();
  conditions.add('tenant_id = ?', filter.tenantId);
  conditions.add('device_id = ?', filter.deviceId);
  conditions.add('metric > ?', filter.afterMetric);
  const { rows } = await db.query<SensorRow>({
    text: `
      select tenant_id, device_id, metric, value_type, unit, latest, ${isoTime('latest_time')} as latest_time,
             ${isoTime('discovered_at')} as discovered_at
      from sensors ${conditions.where}
      order by tenant_id, device_id, metric limit ${Math.trunc(filter.limit)}`,
    values: conditions.values,
  });
  return rows;
}
