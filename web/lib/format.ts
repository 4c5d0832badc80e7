const integers = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });

export const formatCount = (value: number): string => integers.format(value);

export const formatNumber = (value: number): string =>
  Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) < 1e-4)
    ? value.toExponential(3)
    : decimals.format(value);

/** Messages per second: whole ones where there are many, tenths where there are few. */
export function formatRate(perSecond: number): string {
  return perSecond >= 10 || perSecond === 0 ? formatCount(perSecond) : perSecond.toFixed(1);
}

export function formatMs(ms: number): string {
  if (ms < 1) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return formatDuration(ms);
}

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** `1.5 s`, `12 min`, `3 h 20 min`, `4 d 2 h`. */
export function formatDuration(ms: number): string {
  if (ms < 10_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  for (const [index, [unit, size]] of units.entries()) {
    if (ms < size) continue;
    const whole = Math.floor(ms / size);
    const next = units[index + 1];
    const rest = next === undefined ? 0 : Math.floor((ms % size) / next[1]);
    return next === undefined || rest === 0 || whole >= 10
      ? `${whole} ${unit}`
      : `${whole} ${unit} ${rest} ${next[0]}`;
  }
  return '0 s';
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const names = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let name = 'B';
  for (const next of names) {
    if (value < 1_000) break;
    value /= 1_000;
    name = next;
  }
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${name}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-29 01:40:07` in the reader's time zone. */
export function formatLocal(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${formatClock(ms)}`;
}

/** Without the date where it is that of `today`, as `toDateString` gives it. */
export function formatMoment(ms: number, today: string): string {
  return new Date(ms).toDateString() === today ? `today ${formatClock(ms)}` : formatLocal(ms);
}

export function formatClock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export const formatUtc = (ms: number): string =>
  new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC');

/** One unit is enough for an age. */
export function formatAgo(ms: number, nowMs: number): string {
  const age = nowMs - ms;
  if (Math.abs(age) < 1_500) return 'now';
  const [unit, size] = units.find(([, each]) => Math.abs(age) >= each) ?? ['s', 1_000];
  const amount = `${Math.floor(Math.abs(age) / size)} ${unit}`;
  return age < 0 ? `in ${amount}` : `${amount} ago`;
}
