import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import type { RegisteredDevice } from '../../src/model/registry.ts';
import { hashToken } from '../../src/model/token.ts';

/** A device of site `s1` as the registry knows it, without limits of its own. */
export function registeredDevice(
  tenantId: string,
  deviceId: string,
  token: string,
  more: Partial<RegisteredDevice> = {},
): RegisteredDevice {
  return {
    tenantId: tenantId as TenantId,
    deviceId: deviceId as DeviceId,
    siteId: 's1',
    tokenSha256: hashToken(token),
    previousTokenSha256: undefined,
    previousTokenUntilMs: undefined,
    revoked: false,
    ratePerSecond: undefined,
    burst: undefined,
    maxSensors: undefined,
    ...more,
  };
}
