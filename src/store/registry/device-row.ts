import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Device, DeviceCore, DeviceStatus } from './types.ts';

/** What a device's listing and its page have in common. Token hashes stay in the database. */
export const deviceColumns = `d.tenant_id, d.device_id, d.site_id, d.has_token,
  case when d.previous_token_until > now() then d.previous_token_until end as previous_token_until,
  d.revoked_at, d.rate_per_second, d.burst, d.max_sensors, d.created_at, s.status, s.status_since, s.last_seen_at`;

/** What every row of a device holds, whoever asks. */
export interface DeviceCoreRow {
  readonly tenant_id: TenantId;
  readonly device_id: DeviceId;
  readonly site_id: string;
  readonly rate_per_second: number | null;
  readonly burst: number | null;
  readonly max_sensors: number | null;
}

export interface DeviceRow extends DeviceCoreRow {
  readonly has_token: boolean;
  readonly previous_token_until: Date | null;
  readonly revoked_at: Date | null;
  readonly created_at: Date;
  readonly status: DeviceStatus | null;
  readonly status_since: Date | null;
  readonly last_seen_at: Date | null;
}

export function deviceCoreOf(row: DeviceCoreRow): DeviceCore {
  return {
    tenantId: row.tenant_id,
    deviceId: row.device_id,
    siteId: row.site_id,
    ratePerSecond: row.rate_per_second ?? undefined,
    burst: row.burst ?? undefined,
    maxSensors: row.max_sensors ?? undefined,
  };
}

export function deviceOf(row: DeviceRow): Device {
  return {
    ...deviceCoreOf(row),
    hasToken: row.has_token,
    previousTokenUntil: row.previous_token_until ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    createdAt: row.created_at,
    status: row.status ?? undefined,
    statusSince: row.status_since ?? undefined,
    lastSeenAt: row.last_seen_at ?? undefined,
  };
}
