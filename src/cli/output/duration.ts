import { InvalidArgumentError } from 'commander';

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `90s`, `15m`, `24h`, `7d`, `2w` in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text.trim());
  if (match === null)
    throw new InvalidArgumentError('a duration is a number and a unit: 90s, 15m, 24h or 7d.');
  return Number(match[1]) * units[match[2] as keyof typeof units];
}

/** A moment: ISO 8601, or a duration that is taken as "so long ago". Milliseconds since the epoch. */
export function parseSince(text: string, nowMs: number): number {
  if (/^\d+(?:\.\d+)?[a-z]+$/.test(text)) return nowMs - parseDuration(text);
  // Without a zone it is UTC, as everywhere else here.
  const zoned = /(z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes('T') ? text : `${text}Z`;
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(moment))
    throw new InvalidArgumentError('give a time like 2026-01-31T12:00:00Z, or how long ago: 15m, 24h, 7d.');
  return moment;
}

/** The two largest units: `3 s`, `2 m 5 s`, `1 h 30 m`, `12 d`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.max(0, Math.round(durationMs))} ms`;
  const seconds = Math.round(durationMs / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return pair(minutes, 'm', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'm');
  const days = Math.floor(hours / 24);
  return days < 10 ? pair(days, 'd', hours % 24, 'h') : `${days} d`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** `3 s ago`, `in 2 h`, `now`; `never` for nothing. */
export function formatAgo(momentMs: number | undefined, nowMs: number): string {
  if (momentMs === undefined) return 'never';
  const agoMs = nowMs - momentMs;
  if (Math.abs(agoMs) < 1_000) return 'now';
  return agoMs > 0 ? `${formatDuration(agoMs)} ago` : `in ${formatDuration(-agoMs)}`;
}

/** `2026-01-31 12:00:00` in UTC; with milliseconds when asked. */
export function formatTime(momentMs: number, precision: 'seconds' | 'milliseconds' = 'seconds'): string {
  const text = new Date(momentMs).toISOString().replace('T', ' ');
  return text.slice(0, precision === 'seconds' ? 19 : 23);
}
