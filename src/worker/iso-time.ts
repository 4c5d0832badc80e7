/** A time in ms since the epoch as ISO 8601, rounded up to whole ms; never throws, whatever a clock says. */
export function isoTime(ms: number): string {
  const date = new Date(Math.ceil(ms));
  return Number.isNaN(date.getTime()) ? `${ms} ms after 1970` : date.toISOString();
}
