import type { TenantId } from '../model/identifiers.ts';

/** How much flows at one moment, in the words of the wire. Null: not known. */
export interface OverviewSample {
  readonly time: string;
  readonly in_per_second: number;
  readonly out_per_second: number;
  /** Per second. */
  readonly by_source: Readonly<Record<string, number>>;
  /** Per second. */
  readonly by_verdict: Readonly<Record<string, number>>;
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

/** Samples once a second for as long as somebody listens; all listeners share them. */
export interface OverviewFeed {
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
