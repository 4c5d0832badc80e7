import type { DeviceId, TenantId } from '../../model/identifiers.ts';

/** Undefined: the installation's default. */
export interface TenantLimits {
  /** Messages per second of the whole tenant. */
  readonly ratePerSecond: number | undefined;
  readonly burst: number | undefined;
  /** Defaults of each of its devices. */
  readonly deviceRatePerSecond: number | undefined;
  readonly deviceBurst: number | undefined;
}

/** Undefined: the tenant's default, or else the installation's. */
export interface DeviceLimits {
  readonly ratePerSecond: number | undefined;
  readonly burst: number | undefined;
  readonly maxSensors: number | undefined;
}

/** Absent or undefined: stays as it is. `null`: back to the default. */
export type LimitChanges<L> = { readonly [K in keyof L]?: L[K] | null };

export interface Tenant extends TenantLimits {
  readonly tenantId: TenantId;
  /** Free text; may be empty. */
  readonly name: string;
  readonly createdAt: Date;
  /** How many devices it has, the revoked ones included. */
  readonly devices: number;
}

export type DeviceStatus = 'ONLINE' | 'STALE' | 'OFFLINE';

/** What a device is, whoever asks. */
export interface DeviceCore extends DeviceLimits {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly siteId: string;
}

export interface Device extends DeviceCore {
  readonly hasToken: boolean;
  /** The token before the last rotation is valid until then; undefined when there is none that still is. */
  readonly previousTokenUntil: Date | undefined;
  readonly revokedAt: Date | undefined;
  readonly createdAt: Date;
  /** These three are undefined until its first message. */
  readonly status: DeviceStatus | undefined;
  readonly statusSince: Date | undefined;
  readonly lastSeenAt: Date | undefined;
}
