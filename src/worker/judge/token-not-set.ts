import type { Candidate } from './candidate.ts';

export function tokenNotSet({ device }: Candidate): string | undefined {
  return device.tokenSha256 === undefined
    ? `The registry holds no token for device "${device.deviceId}": rotate it to give it one.`
    : undefined;
}
