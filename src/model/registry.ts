import type { DeviceId, TenantId } from './identifiers.ts';

/** A device as judging and authentication need it: an entry of the registry cache. */
export interface RegisteredDevice {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly siteId: string;
  /** SHA-256 of the token, 32 bytes; undefined when none is set. */
  readonly tokenSha256: Uint8Array | undefined;
  /** The token before the last rotation, valid until `previousTokenUntilMs`. */
  readonly previousTokenSha256: Uint8Array | undefined;
  readonly previousTokenUntilMs: number | undefined;
  readonly revoked: boolean;
  /** Overrides of the tenant's and the global limits. */
  readonly ratePerSecond: number | undefined;
  readonly burst: number | undefined;
  readonly maxSensors: number | undefined;
}

export interface RegisteredTenant {
  readonly tenantId: TenantId;
  /** Budget of the whole tenant; undefined: the global default. */
  readonly ratePerSecond: number | undefined;
  readonly burst: number | undefined;
  /** Defaults for this tenant's devices. */
  readonly deviceRatePerSecond: number | undefined;
  readonly deviceBurst: number | undefined;
}

/** What the judges may ask. Implemented by `store/registry-feed.ts`, faked by a Map in tests. */
export interface RegistryView {
  device(tenantId: string, deviceId: string): RegisteredDevice | undefined;
  tenant(tenantId: string): RegisteredTenant | undefined;
  /** Version of the registry that this view holds; grows in commit order. */
  readonly version: number;
}
