import { equalHash, hashToken } from '../../model/token.ts';
import type { Candidate } from './candidate.ts';
import { shown } from './shown.ts';

export function siteMismatch({ device, reading, tokenSha256 }: Candidate): string | undefined {
  const { siteId } = reading;
  if (siteId === device.siteId) return undefined;
  // The token in the wrong place must not be shown either; here only its hash is known.
  const isToken = tokenSha256 !== undefined && equalHash(hashToken(siteId), tokenSha256);
  const sent = isToken ? 'its token' : shown(siteId, undefined);
  return `Device "${device.deviceId}" belongs to site ${shown(device.siteId, undefined)}, not to ${sent}.`;
}
