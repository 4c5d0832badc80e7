/** How far back a list looks. */
export const periods: readonly (readonly [string, string])[] = [
  ['1', 'last hour'],
  ['24', 'last 24 hours'],
  ['168', 'last 7 days'],
  ['720', 'last 30 days'],
];

export const defaultPeriod = '24';

const hourMs = 3_600_000;

/** In whole minutes, so that a page that is loaded again asks the same. */
export function periodStart(hours: string, nowMs: number): string {
  const back = Number(hours) * hourMs;
  return new Date(
    Math.floor((nowMs - (Number.isFinite(back) ? back : 24 * hourMs)) / 60_000) * 60_000,
  ).toISOString();
}
