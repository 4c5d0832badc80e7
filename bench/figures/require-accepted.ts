import type { LoadResult } from '../load/load-spec.ts';

/** A rate of refusals is no rate. @throws Error with the first refusals in words */
export function requireAccepted(load: LoadResult, what: string): LoadResult {
  if (load.failed === 0 && load.accepted > 0) return load;
  const why = load.failures.join('; ') || 'nothing was answered';
  throw new Error(
    `${what}: ${load.failed} of ${load.accepted + load.failed} messages were not accepted: ${why}`,
  );
}
