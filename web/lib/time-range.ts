/** What the charts show: the last so many ms up to now, or a span that was zoomed into. */
export type TimeRange =
  | { readonly kind: 'live'; readonly spanMs: number }
  | { readonly kind: 'fixed'; readonly fromMs: number; readonly toMs: number };

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export const presets: readonly (readonly [string, number])[] = [
  ['15 min', 15 * minute],
  ['1 h', hour],
  ['6 h', 6 * hour],
  ['24 h', day],
  ['7 d', 7 * day],
  ['30 d', 30 * day],
];

export const firstRange: TimeRange = { kind: 'live', spanMs: 15 * minute };

const shortestMs = 2_000;
const longestMs = 400 * day;

export interface Bounds {
  readonly fromMs: number;
  readonly toMs: number;
}

export function boundsOf(range: TimeRange, nowMs: number): Bounds {
  return range.kind === 'live'
    ? { fromMs: nowMs - range.spanMs, toMs: nowMs }
    : { fromMs: range.fromMs, toMs: range.toMs };
}

/** By a factor around the middle; a live one keeps its end at now. */
export function zoom(range: TimeRange, factor: number, nowMs: number): TimeRange {
  const { fromMs, toMs } = boundsOf(range, nowMs);
  const spanMs = Math.min(Math.max((toMs - fromMs) * factor, shortestMs), longestMs);
  if (range.kind === 'live') return { kind: 'live', spanMs };
  const middle = (fromMs + toMs) / 2;
  return settle(middle - spanMs / 2, middle + spanMs / 2, nowMs);
}

/** By a part of its width; who moves to now is live again. */
export function pan(range: TimeRange, part: number, nowMs: number): TimeRange {
  const { fromMs, toMs } = boundsOf(range, nowMs);
  const shift = (toMs - fromMs) * part;
  return settle(fromMs + shift, toMs + shift, nowMs);
}

export function select(fromMs: number, toMs: number): TimeRange {
  const middle = (fromMs + toMs) / 2;
  const half = Math.max(toMs - fromMs, shortestMs) / 2;
  return { kind: 'fixed', fromMs: Math.round(middle - half), toMs: Math.round(middle + half) };
}

function settle(fromMs: number, toMs: number, nowMs: number): TimeRange {
  if (toMs >= nowMs) return { kind: 'live', spanMs: toMs - fromMs };
  return { kind: 'fixed', fromMs: Math.round(fromMs), toMs: Math.round(toMs) };
}
