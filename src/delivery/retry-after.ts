/** How far a destination may put an attempt off. */
export const maxRetryAfterMs = 3_600_000;

/**
 * Reads `Retry-After`: whole seconds or an HTTP date. In ms from now, 0 for a date in the past, bounded; undefined for
 * what is neither.
 *
 * @param nowMs since the epoch
 */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (/^\d{1,15}$/.test(trimmed)) return Math.min(Number(trimmed) * 1_000, maxRetryAfterMs);
  // A date begins with its weekday; Date.parse would take much that is none.
  if (!/^(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?,? /.test(trimmed)) return undefined;
  const at = Date.parse(trimmed);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - nowMs), maxRetryAfterMs);
}
