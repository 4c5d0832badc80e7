import type { Candidate } from './candidate.ts';

export function tokenMissing({ tokenSha256 }: Candidate): string | undefined {
  return tokenSha256 === undefined ? 'The provision_token is absent, empty or not a string.' : undefined;
}
