/** Longer waits are cut to this. */
const longestWaitSeconds = 30;

/**
 * The seconds of `Prefer: wait=N` (RFC 7240, section 4.3), at most 30. Undefined without it, for 0, and for what cannot
 * be read: a preference is never an error. Of several the first one counts.
 */
export function waitSecondsOf(headers: Headers): number | undefined {
  const prefer = headers.get('Prefer');
  if (prefer === null) return undefined;
  for (const preference of prefer.split(',')) {
    const [name = '', value = ''] = (preference.split(';')[0] ?? '').split('=');
    if (name.trim().toLowerCase() !== 'wait') continue;
    const digits = /^\s*"?(\d{1,9})"?\s*$/.exec(value)?.[1];
    const seconds = Math.min(longestWaitSeconds, Number(digits ?? 0));
    return seconds > 0 ? seconds : undefined;
  }
  return undefined;
}
