import type { TenantId } from '../model/identifiers.ts';

/** The first that is so counts. */
export const blocks = [
  'nats_away',
  'jetstream_away',
  'database_away',
  'no_worker',
  'stream_full',
  'no_door',
] as const;

/** How much flows at one moment, in the words of the wire. Null: not known. */
export interface OverviewSample {
  readonly time: string;
  readonly in_per_second: number;
  readonly out_per_second: number;
  /** Per second. */
  readonly by_source: Readonly<Record<string, number>>;
  /** Per second. */
  readonly by_verdict: Readonly<Record<string, number>>;
  /** Per second, accepted at the doors and known to JetStream already: no message of its own. */
  readonly duplicates_at_door: number;
  /** Per second, answered 503 at the doors: the device is to send them again. */
  readonly refused_per_second: number;
  /** What keeps messages from flowing, as far as the console sees. */
  readonly blocked_by: (typeof blocks)[number] | null;
  readonly backlog: number | null;
  readonly door_to_row_ms: { readonly p50: number | null; readonly p99: number | null };
  readonly unaccounted: number | null;
  readonly durability: string | null;
  readonly devices: {
    readonly online: number;
    readonly stale: number;
    readonly offline: number;
    readonly silent: number;
  };
}

/** Of a stretch of time that ended then; messages per second. */
export interface FlowPoint {
  readonly timeMs: number;
  readonly in: number;
  readonly settled: number;
}

/** Settled is whatever has its outcome: what is quarantined does not wait either. */
export function pointOfSample({ time, in_per_second, by_verdict }: OverviewSample): FlowPoint {
  const settled = Object.values(by_verdict).reduce((sum, rate) => sum + rate, 0);
  return { timeMs: Date.parse(time), in: in_per_second, settled };
}

/** Samples once a second for as long as somebody listens; all listeners share them. */
export interface OverviewFeed {
  /** Up to now, the oldest first: five minutes of it, as far as they are known. */
  history(): readonly FlowPoint[];
  /** Tells the latest sample at once, where there is one, and each that follows. @returns what ends it */
  subscribe(listener: (sample: OverviewSample) => void): () => void;
}

export interface SystemState {
  readonly version: string;
  readonly nats: { readonly version: string } | null;
  readonly postgres: { readonly version: string } | null;
  readonly durability: string | null;
  /** Null: NATS is away. */
  readonly roles: readonly Readonly<Record<string, unknown>>[] | null;
  readonly streams: readonly Readonly<Record<string, unknown>>[] | null;
}

export interface DefaultLimits {
  readonly ratePerSecond: number;
  readonly burst: number;
  readonly deviceRatePerSecond: number;
  readonly deviceBurst: number;
}

/** What the API tells of the whole installation: the role hands it in. */
export interface InstallationService {
  /** As `tributary status --json`. */
  status(): Promise<unknown>;
  system(): Promise<SystemState>;
  /** Of one tenant, or of all. */
  overview(tenantId: TenantId | undefined): OverviewFeed;
  /** The answers of every live worker. @throws where NATS cannot be asked */
  rateLimits(): Promise<readonly unknown[]>;
  readonly defaultLimits: DefaultLimits;
}
