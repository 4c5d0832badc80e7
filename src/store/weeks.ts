/**
 * Weeks as `telemetry` is partitioned: from Monday 00:00 UTC, numbered from the one that holds 1970-01-01.
 * The same as `telemetry_week` in the database.
 */

const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
/** 1970-01-01 was a Thursday. */
const firstMondayMs = -3 * dayMs;

/** Of a time in µs since the epoch. */
export function weekOf(timeUs: number): number {
  return Math.floor((timeUs / 1000 - firstMondayMs) / weekMs);
}

/** When a week begins, in ms since the epoch. */
export function weekStartMs(week: number): number {
  return firstMondayMs + week * weekMs;
}
