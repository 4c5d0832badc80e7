/** `2026-01-01T00:00:00.123456Z` */
export function isoMicroseconds(us: number): string {
  const ms = Math.floor(us / 1_000);
  const rest = String(us - ms * 1_000).padStart(3, '0');
  return new Date(ms).toISOString().replace('Z', `${rest}Z`);
}
