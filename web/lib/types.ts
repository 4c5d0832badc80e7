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
  readonly devices: number;
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
  /** Null where a number is beyond what can be added up. */
  readonly avg: readonly (number | null)[];
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

/** What keeps messages from flowing. */
export type Block =
  | 'nats_away'
  | 'jetstream_away'
  | 'database_away'
  | 'no_worker'
  | 'stream_full'
  | 'no_door';

/** Messages per second in the time before. */
export interface FlowPoint {
  readonly timeMs: number;
  readonly in: number;
  readonly settled: number;
}

/** What was before a feed of samples begins. */
export interface OverviewHistory {
  readonly points: readonly {
    readonly time: string;
    readonly in_per_second: number;
    readonly settled_per_second: number;
  }[];
}

/** How much flows, once a second. */
export interface OverviewSample {
  readonly time: string;
  readonly in_per_second: number;
  readonly out_per_second: number;
  /** Per second. */
  readonly by_source: Readonly<Record<string, number>>;
  /** Per second. */
  readonly by_verdict: Readonly<Record<string, number>>;
  /** Per second: sent again, and known before they took a place in the stream. */
  readonly duplicates_at_door: number;
  /** Per second, answered 503. */
  readonly refused_per_second: number;
  readonly blocked_by: Block | null;
  readonly backlog: number | null;
  readonly door_to_row_ms: { readonly p50: number | null; readonly p99: number | null } | null;
  readonly unaccounted: number | null;
  readonly durability: string | null;
  readonly devices: Readonly<Record<string, number>>;
}

export interface QuarantineStats {
  readonly bucket_ms: number;
  readonly from: string;
  readonly to: string;
  readonly reasons: Readonly<
    Record<string, { readonly t: readonly number[]; readonly count: readonly number[] }>
  >;
}

export interface RejectedDetails extends Rejected {
  readonly sqlstate: string | null;
  readonly subject: string;
  readonly identity: string;
  readonly identity_kind: string;
  readonly stream_seq: unknown;
  readonly envelope: string | null;
  readonly envelope_base64: string | null;
  readonly payload: string | null;
  readonly mended_payload: string | null;
  readonly mended_by: string | null;
  readonly mended_at: string | null;
}

export interface ReplayProgress {
  readonly replay_id: number;
  readonly state: 'running' | 'done' | 'failed' | 'lost';
  readonly error: string | null;
  readonly total: number | null;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly done: boolean;
}

export interface Key {
  readonly key_id: number | string;
  readonly name: string;
  readonly level?: string;
  readonly created_at: string;
  readonly expires_at?: string | null;
  readonly revoked_at: string | null;
}

export interface AuditEntry {
  readonly entry_id?: number | string;
  readonly time: string;
  readonly actor_kind: string;
  readonly actor_name?: string | null;
  readonly tenant_id: string | null;
  readonly action: string;
  readonly target: string | null;
  readonly detail: unknown;
}

export interface DeadLetter {
  readonly id: number | string;
  readonly route_name: string;
  readonly reason: string;
  readonly detail: string;
  readonly attempts: number;
  readonly dead_at: string;
}

export interface LimitedDevice {
  readonly tenant_id: string | null;
  readonly device_id: string | null;
  readonly limited: number;
}

export interface RateLimits {
  readonly limits?: Readonly<Record<string, number | null>>;
  readonly limited: readonly LimitedDevice[];
}

export type Destination =
  | { readonly kind: 'webhook'; readonly url: string; readonly method?: 'POST' | 'PUT' }
  | { readonly kind: 'mqtt'; readonly url?: string; readonly topic: string; readonly username?: string }
  | { readonly kind: 'nats'; readonly subject: string };

export interface Route {
  readonly tenant_id: string;
  readonly name: string;
  readonly topic_filter: string;
  readonly condition: string | null;
  readonly fires_on: readonly string[];
  readonly destination: Destination;
  readonly rate_per_second: number | null;
  readonly burst: number | null;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly state?: RouteState;
  /** Of one route alone; null where delivery cannot be asked. */
  readonly destination_state?: DestinationState | null;
}

export interface DestinationState {
  readonly delivery_processes: number;
  readonly left_alone_by: number;
  readonly failures: number;
  readonly tried_in_ms: number;
}

export interface RouteState {
  readonly matched: number;
  readonly delivered: number;
  readonly retried: number;
  readonly waiting: number;
  readonly held: number;
  readonly condition_errors: number;
  readonly next_attempt_at: string | null;
  readonly last_error: string | null;
}

export interface RoleProcess {
  readonly role: string;
  readonly id?: string;
  readonly pid: number;
  readonly host: string;
  readonly version: string;
  readonly uptime_ms: number;
  readonly rss_bytes?: number | null;
}

export interface StreamState {
  readonly name: string;
  readonly messages: number | null;
  readonly bytes: number | null;
  readonly max_bytes: number | null;
  /** The doors' limit, below the server's. */
  readonly accepts_up_to_bytes?: number;
  readonly consumer: {
    readonly name: string;
    readonly num_pending: number;
    readonly num_ack_pending: number;
    readonly num_redelivered: number;
  } | null;
}

export interface System {
  readonly version?: string;
  readonly nats?: { readonly version: string } | null;
  readonly postgres?: { readonly version: string } | null;
  readonly durability?: string | null;
  readonly roles: readonly RoleProcess[] | null;
  readonly streams: readonly StreamState[] | null;
}

/** How a state looks; words say it too. */
export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

export interface Site {
  readonly site_id: string;
  readonly devices: number;
}

export interface DeadLetterDetails extends DeadLetter {
  readonly first_at: string;
  /** Of a change of status. */
  readonly event: unknown;
  readonly device_id: string | null;
  readonly metrics: unknown;
  readonly extra: unknown;
}
