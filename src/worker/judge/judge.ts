import type { Reason } from '../../model/reasons.ts';
import type { RegistryView } from '../../model/registry.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { Decoded } from '../decoded.ts';
import type { RegistryCheck } from './candidate.ts';
import { deviceRevoked } from './device-revoked.ts';
import { siteMismatch } from './site-mismatch.ts';
import { tokenInvalid } from './token-invalid.ts';
import { tokenMissing } from './token-missing.ts';
import { tokenNotSet } from './token-not-set.ts';
import { unregisteredDevice } from './unregistered-device.ts';

/** The checks of a registered device, in the order of `reasons`. */
export const registryChecks: readonly (readonly [Reason, RegistryCheck])[] = [
  ['TOKEN_NOT_SET', tokenNotSet],
  ['TOKEN_MISSING', tokenMissing],
  ['TOKEN_INVALID', tokenInvalid],
  ['DEVICE_REVOKED', deviceRevoked],
  ['SITE_MISMATCH', siteMismatch],
];

/**
 * What the registry says of a message, on top of its form. Pure: may be asked again when the registry has
 * moved on. Neither the identity's reuse nor the rate limit is judged here: settling asks for those after.
 * @param checks a replay leaves out what it has found out otherwise
 */
export function judge(
  { result, tokenSha256 }: Pick<Decoded, 'result' | 'tokenSha256'>,
  registry: Pick<RegistryView, 'device'>,
  checks = registryChecks,
): Verdict {
  if (result.form === 'internal') return { outcome: 'internal' };
  if (result.form === 'rejected') return { outcome: 'quarantine', rejection: result.rejection };
  const { reading } = result;
  const device = registry.device(reading.tenantId, reading.deviceId);
  if (device === undefined) return quarantine('UNREGISTERED_DEVICE', unregisteredDevice(reading));
  const candidate = { reading, tokenSha256, device };
  for (const [reason, check] of checks) {
    const detail = check(candidate);
    if (detail !== undefined) return quarantine(reason, detail);
  }
  return { outcome: 'accept', reading, device };
}

function quarantine(reason: Reason, detail: string): Verdict {
  return { outcome: 'quarantine', rejection: { reason, detail } };
}
