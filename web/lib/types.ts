/** What the API answers, in its own spelling. Times are RFC 3339 text in UTC. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface Tenant {
  readonly tenant_id: string;
  readonly name: string;
  readonly rate_per_second: number | null;
  readonly burst: number | null;
  readonly device_rate_per_second: number | null;
  readonly device_burst: number | null;
  readonly created_at: string;
  readonly devices?: number;
}

export type DeviceStatus = 'ONLINE' | 'STALE' | 'OFFLINE';

export interface Device {
  readonly tenant_id: string;
  readonly device_id: string;
  readonly site_id: string;
  readonly status: DeviceStatus | null;
  readonly status_since: string | null;
  readonly last_seen_at: string | null;
  readonly created_at: string;
  readonly revoked_at: string | null;
  readonly has_token: boolean;
  readonly previous_token_until: string | null;
  readonly rate_per_second: number | null;
  readonly burst: number | null;
  readonly max_sensors: number | null;
}

export interface IssuedToken {
  readonly device_id: string;
  /** Shown once. */
  readonly token: string;
}

export interface Sensor {
  readonly metric: string;
  readonly value_type: string;
  readonly unit: string | null;
  readonly latest: unknown;
  readonly latest_time: string;
}

export interface Reading {
  readonly tenant_id: string;
  readonly device_id: string;
  readonly site_id: string;
  readonly msg_type: string;
  readonly time: string;
  readonly arrived_at: string;
  readonly seq?: unknown;
  readonly metrics: Readonly<Record<string, unknown>>;
}

export interface SeriesColumns {
  readonly t: readonly number[];
  readonly min: readonly number[];
  readonly avg: readonly number[];
  readonly max: readonly number[];
  readonly count: readonly number[];
}

export interface Series {
  readonly bucket_ms: number;
  readonly metrics: Readonly<Record<string, SeriesColumns>>;
}

export interface Gaps {
  readonly ranges: readonly GapRange[];
  readonly late: number;
  readonly repeated: number;
  readonly restarts: readonly {
    readonly time: string;
    readonly from_seq: unknown;
    readonly to_seq: unknown;
  }[];
  readonly received: number;
  readonly missing: number;
  readonly truncated: boolean;
}

export interface GapRange {
  readonly first: unknown;
  readonly last: unknown;
  readonly count: number;
  readonly after_time: string;
  readonly before_time: string;
}

export interface StatusSpan {
  readonly status: string;
  readonly since: string;
  readonly until: string | null;
}

export interface Doors {
  readonly http: string;
  readonly mqtt: { readonly host: string; readonly port: number; readonly tls: boolean } | null;
}

export interface Rejected {
  readonly id: string | number;
  readonly reason: string;
  readonly detail: string;
  readonly tenant_id: string | null;
  readonly device_id: string | null;
  readonly msg_type: string | null;
  readonly arrived_at: string;
  readonly quarantined_at: string;
  readonly size_bytes?: number;
}
