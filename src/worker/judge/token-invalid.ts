import { equalHash } from '../../model/token.ts';
import { isoTime } from '../iso-time.ts';
import type { Candidate } from './candidate.ts';

/** The token before a rotation counts for what arrived within its grace, however late it is judged. */
export function tokenInvalid({ device, tokenSha256, reading }: Candidate): string | undefined {
  if (matches(device.tokenSha256, tokenSha256)) return undefined;
  if (!matches(device.previousTokenSha256, tokenSha256)) {
    return `The provision token is not that of device "${device.deviceId}".`;
  }
  const untilMs = device.previousTokenUntilMs;
  if (untilMs === undefined || reading.arrivedAtMs < untilMs) return undefined;
  return (
    `The provision token of device "${device.deviceId}" was rotated, and ` +
    `its grace ended at ${isoTime(untilMs)}.`
  );
}

function matches(registered: Uint8Array | undefined, sent: Uint8Array | undefined): boolean {
  return registered !== undefined && sent !== undefined && equalHash(registered, sent);
}
