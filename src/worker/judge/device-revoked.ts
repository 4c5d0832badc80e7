import type { Candidate } from './candidate.ts';

export function deviceRevoked({ device }: Candidate): string | undefined {
  return device.revoked ? `Device "${device.deviceId}" is revoked.` : undefined;
}
